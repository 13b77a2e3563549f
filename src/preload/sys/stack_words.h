/* SPDX-License-Identifier: Apache-2.0 */
/* Looking through a stack for return addresses, where there is no unwinder. What looks like one may
 * be left over from a function that has returned: for questions that may be answered wrongly one
 * way. Any thread; raw system calls, little stack. */
#ifndef LH_PRELOAD_SYS_STACK_WORDS_H
#define LH_PRELOAD_SYS_STACK_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LH_STACK_SEARCH_BYTES (64u * 1024) /* as far as one looks for the end of a stack */

/* Takes one word of a stack, and where it stands. True: that was enough. */
typedef bool lh_stack_visit(void *context, uintptr_t at, uintptr_t word);

/* Visits the words from `from` on outwards, as far as they can be read. True: `visit` said so. */
bool lh_stack_words(uintptr_t from, size_t size, lh_stack_visit *visit, void *context);

/* Does a call stand before this address? False also where nothing can be read there. */
bool lh_is_after_call(uintptr_t address);

#endif

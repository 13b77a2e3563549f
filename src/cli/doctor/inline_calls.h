/* SPDX-License-Identifier: Apache-2.0 */
/* Which system calls machine code makes by itself. Each processor has its own answer, in a folder
 * of its name below this one. Runs in `loophound doctor`; only reads. */
#ifndef LH_CLI_DOCTOR_INLINE_CALLS_H
#define LH_CLI_DOCTOR_INLINE_CALLS_H

#include <stddef.h>
#include <stdint.h>

typedef void lh_inline_call_visit(void *context, int64_t number);

/* Visits each number that is loaded shortly before an instruction that calls the kernel, as
 * compilers make it of inline assembly. Not every one of them is a call's. */
void lh_inline_calls(const uint8_t *code, size_t size, lh_inline_call_visit *visit, void *context);

#endif

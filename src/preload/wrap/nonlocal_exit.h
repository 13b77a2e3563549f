/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are left without returning: by longjmp(3) out of a signal handler, by a C++ exception
 * out of a callback, by cancellation. What is then further in on the stack than the place it goes
 * on at was in flight, or parked, and no longer is. */
#ifndef LH_PRELOAD_WRAP_NONLOCAL_EXIT_H
#define LH_PRELOAD_WRAP_NONLOCAL_EXIT_H

#include <setjmp.h>
#include <stdint.h>

#include "preload/state/state.h"
#include "preload/sys/cpu.h"

/* In a wrapper: an unwinder that passes its frame calls lh_unwinds_call(). Pointer encoding:
 * relative to its own place, four bytes (DW_EH_PE_pcrel | DW_EH_PE_sdata4, LSB core 5.0, 10.5). */
#define LH_PERSONALITY __asm__ volatile(".cfi_personality 0x1b, lh_unwinds_call")

/* The calling thread goes on at this stack pointer: what it was in below is over. A call of a loop
 * thread ends here, and is told as one that has returned, without an error. errno stays. */
void lh_nonlocal_exit_to(uintptr_t sp);

/* Before a jump to what setjmp(3) left in `env`. */
static inline void lh_before_jump(const struct __jmp_buf_tag *env)
{
    if (LH_UNLIKELY(lh_self.slot != NULL || lh_self.paused_watchdog != 0))
        lh_nonlocal_exit_to(lh_cpu_jump_target(env->__jmpbuf));
}

#endif

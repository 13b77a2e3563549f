/* SPDX-License-Identifier: Apache-2.0 */
/* Time. The fast path takes one reading of a counter; only a report turns counts into ns. */
#ifndef LH_PRELOAD_SYS_CLOCK_H
#define LH_PRELOAD_SYS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "common/units.h"
#include "preload/sys/compiler.h"
#include "preload/sys/cpu.h"

/* True: lh_counter() is the time-stamp counter; false: CLOCK_MONOTONIC_COARSE in ns. */
extern LH_HIDDEN bool lh_counter_is_tsc;

/* True: the program's clocks are not the kernel's (libfaketime). We go by the kernel's all the
 * same; what a point in the program's time means is not known. */
extern LH_HIDDEN bool lh_clock_is_faked;

uint64_t lh_counter_coarse(void);

static inline uint64_t lh_counter(void)
{
    return LH_LIKELY(lh_counter_is_tsc) ? lh_cpu_counter() : lh_counter_coarse();
}

/* Finds libc's clock; once, in our set-up. */
void lh_clock_init(void);

/* Before lh_counter() is used: learns what the counter is, and takes the reference readings. The
 * first time costs 50 us on a virtual machine, where CPUID ends in the hypervisor, so it is not
 * done for programs that have no loop. Any thread of the program, signal handlers and children of
 * fork too. */
void lh_clock_start(void);

/* The length of `count` counter steps, by the rate measured from lh_clock_start() until now. */
uint64_t lh_counter_to_ns(uint64_t count);

/* The CPU clock of another thread of this process: clock_getcpuclockid(3) and the kernel's
 * include/linux/posix-timers.h. */
static inline clockid_t lh_clock_of_thread(uint32_t tid)
{
    return (clockid_t)(~tid << 3 | 6);
}

/* clock_gettime(2); a preloaded libfaketime has no say. By a raw system call, but for
 * CLOCK_MONOTONIC, which libc reads from the vDSO (vdso(7)) where that is what it says. Any thread.
 */
int64_t lh_clock_ns(clockid_t clock);

#endif

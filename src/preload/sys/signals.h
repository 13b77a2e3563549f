/* SPDX-License-Identifier: Apache-2.0 */
/* Holding signals off while something of ours is half done: a handler of the program's may leave by
 * siglongjmp, and an asynchronous cancellation is a signal too. Any thread; errno stays. */
#ifndef LH_PRELOAD_SYS_SIGNALS_H
#define LH_PRELOAD_SYS_SIGNALS_H

#include <signal.h>
#include <stdint.h>

#include "preload/sys/syscall.h"

/* Blocks all signals of the calling thread, also those that libc keeps for itself. Returns the mask
 * that was in force, for lh_signals_restore(). sigprocmask(2). */
static inline uint64_t lh_signals_block(void)
{
    uint64_t all = ~0ULL;
    uint64_t before = 0;
    lh_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof(before));
    return before;
}

/* The kernel's form of struct sigaction: rt_sigaction(2), asm/signal.h. */
struct lh_signal_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};
#define LH_SA_RESTORER 0x04000000UL

/* What becomes of a signal: sets `action`, stores what it was in `old`; each may be NULL. Returns 0
 * or a negative errno. */
static inline long lh_signal_action(int number, const struct lh_signal_action *action,
                                    struct lh_signal_action *old)
{
    return lh_syscall4(SYS_rt_sigaction, number, (long)action, (long)old, sizeof(action->mask));
}

static inline void lh_signals_restore(uint64_t before)
{
    lh_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof(before));
}

#endif

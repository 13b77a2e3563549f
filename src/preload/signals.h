/* Holding signals off while something of ours is half done: a handler of the program's may leave by
 * siglongjmp, and an asynchronous cancellation is a signal too. Any thread; errno stays. */
#ifndef LH_PRELOAD_SIGNALS_H
#define LH_PRELOAD_SIGNALS_H

#include <signal.h>
#include <stdint.h>

#include "preload/sys.h"

/* Blocks all signals of the calling thread, also those that libc keeps for itself. Returns the mask
 * that was in force, for lh_signals_restore(). sigprocmask(2). */
static inline uint64_t lh_signals_block(void)
{
    uint64_t all = ~0ULL;
    uint64_t before = 0;
    lh_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&before, sizeof(before));
    return before;
}

static inline void lh_signals_restore(uint64_t before)
{
    lh_syscall4(SYS_rt_sigprocmask, SIG_SETMASK, (long)&before, 0, sizeof(before));
}

#endif

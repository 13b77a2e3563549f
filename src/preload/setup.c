/* The library's set-up: see setup.h. Runs on the program's threads, in our constructor or before
 * it; no locks, for a thread that waited here could hold one that another library's constructor
 * wants. */
#include "preload/setup.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>

#include "preload/clock.h"
#include "preload/loop.h"
#include "preload/process.h"
#include "preload/python.h"
#include "preload/signals.h"
#include "preload/state.h"
#include "preload/sys.h"

enum progress { NOT_BEGUN, UNDER_WAY, DONE };

static _Atomic uint32_t progress; /* futex: enum progress */

static void set_up(void)
{
    lh_clock_init();
    lh_process_init();
    lh_python_look();
    lh_loop_init();
    lh_process_greet();
}

bool lh_setup(void)
{
    if (LH_LIKELY(atomic_load_explicit(&progress, memory_order_acquire) == DONE))
        return true;
    uint32_t before = NOT_BEGUN;
    uint64_t signals = lh_signals_block();
    if (atomic_compare_exchange_strong(&progress, &before, UNDER_WAY)) {
        set_up();
        atomic_store(&progress, DONE);
        lh_syscall3(SYS_futex, (long)&progress, FUTEX_WAKE_PRIVATE, INT_MAX);
        before = DONE;
    }
    lh_signals_restore(signals);
    return before == DONE;
}

void lh_setup_finish(void)
{
    const struct timespec timeout = {1, 0};
    if (!lh_setup())
        lh_syscall4(SYS_futex, (long)&progress, FUTEX_WAIT_PRIVATE, UNDER_WAY, (long)&timeout);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The library's set-up: see setup.h. Runs on the program's threads, in our constructor or before
 * it; no locks, for a thread that waited here could hold one that another library's constructor
 * wants. */
#include "preload/process/setup.h"

#include <stdatomic.h>
#include <stdint.h>

#include "preload/process/always.h"
#include "preload/process/image.h"
#include "preload/process/lifecycle.h"
#include "preload/python/interpreter.h"
#include "preload/state/state.h"
#include "preload/state/thread_end.h"
#include "preload/sys/clock.h"
#include "preload/sys/futex.h"
#include "preload/sys/signals.h"

#define FINISH_WAIT_NS LH_NS_PER_S

enum progress { NOT_BEGUN, UNDER_WAY, DONE };

static _Atomic uint32_t progress; /* futex: enum progress */

static void set_up(void)
{
    lh_clock_init();
    lh_image_init();
    lh_always_init();
    lh_python_look();
    lh_thread_end_init();
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
        lh_futex_wake(&progress, false);
        before = DONE;
    }
    lh_signals_restore(signals);
    return before == DONE;
}

void lh_setup_finish(void)
{
    if (!lh_setup())
        lh_futex_wait(&progress, UNDER_WAY, FINISH_WAIT_NS, false);
}

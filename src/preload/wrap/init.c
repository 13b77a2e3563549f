/* SPDX-License-Identifier: Apache-2.0 */
/* Our constructor and destructor: the one place where the library runs by itself. Constructors of
 * the program's libraries run before ours: a loop there has set us up already (setup.c). */
#include <errno.h>

#include "preload/loop/loop.h"
#include "preload/loop/meet.h"
#include "preload/process/lifecycle.h"
#include "preload/process/setup.h"
#include "preload/wrap/wrappers.h"

__attribute__((constructor)) static void start(void)
{
    int saved_errno = errno;
    lh_wrappers_init();
    lh_meet_init(lh_wrappers_ask);
    lh_setup_finish();
    lh_loop_name_main();
    errno = saved_errno;
}

__attribute__((destructor)) static void end(void)
{
    int saved_errno = errno;
    struct lh_slot *slot = lh_self.slot;
    if (slot != NULL) {
        lh_stall_abandon(slot);
        atomic_store(&slot->parked, 1); /* our own wait is no stall of the program's */
    }
    lh_process_end();
    if (slot != NULL)
        lh_park_end();
    errno = saved_errno;
}

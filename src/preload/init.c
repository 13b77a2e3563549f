/* Our constructor and destructor: the one place where the library runs by itself. Constructors of
 * the program's libraries run before ours: a loop there has set us up already (setup.c). */
#include <errno.h>

#include "preload/loop.h"
#include "preload/process.h"
#include "preload/setup.h"
#include "preload/wrappers.h"

__attribute__((constructor)) static void start(void)
{
    int saved_errno = errno;
    lh_wrappers_resolve();
    lh_setup_finish();
    lh_loop_enter_main();
    errno = saved_errno;
}

__attribute__((destructor)) static void end(void)
{
    int saved_errno = errno;
    if (lh_self.slot != NULL)
        lh_stall_abandon(lh_self.slot);
    lh_process_end();
    errno = saved_errno;
}

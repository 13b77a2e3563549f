/* Our constructor and destructor: the one place where the library runs by itself. */
#include <errno.h>

#include "preload/clock.h"
#include "preload/loop.h"
#include "preload/process.h"
#include "preload/python.h"
#include "preload/wrappers.h"

__attribute__((constructor)) static void start(void)
{
    int saved_errno = errno;
    lh_wrappers_resolve();
    lh_clock_init();
    lh_process_init();
    lh_python_look();
    lh_loop_init();
    lh_process_greet();
    lh_loop_enter_main();
    errno = saved_errno;
}

__attribute__((destructor)) static void end(void)
{
    int saved_errno = errno;
    lh_process_end();
    errno = saved_errno;
}

/* Calls that are interposed for our book-keeping: what is done before each. One function per HOOK
 * row of src/calls.def; runs on the program's threads. */
#ifndef LH_PRELOAD_HOOKS_H
#define LH_PRELOAD_HOOKS_H

#include "preload/leaving.h"
#include "preload/loop.h"
#include "preload/process.h"
#include "preload/sandbox.h"
#include "preload/state.h"
#include "preload/sys.h"
#include "preload/watchdog.h"

/* Closing a loop's epoll set ends the loop. */
static inline void lh_before_close(int fd)
{
    if (LH_UNLIKELY(lh_self.slot != NULL))
        lh_loop_closes(fd);
}

static inline void lh_before_longjmp(const struct __jmp_buf_tag *env, int value)
{
    (void)value;
    lh_before_jump(env);
}

static inline void lh_before_siglongjmp(const struct __jmp_buf_tag *env, int value)
{
    (void)value;
    lh_before_jump(env);
}

static inline void lh_before___longjmp_chk(const struct __jmp_buf_tag *env, int value)
{
    (void)value;
    lh_before_jump(env);
}

/* Also in a child of vfork(2), whose parent the watchdog is of. */
static inline void lh_before_exec(void)
{
    if (lh_process != NULL && lh_process_is_ours())
        lh_watchdog_stop();
}
#define lh_before_execve(...)   lh_before_exec()
#define lh_before_execv(...)    lh_before_exec()
#define lh_before_execvp(...)   lh_before_exec()
#define lh_before_execvpe(...)  lh_before_exec()
#define lh_before_fexecve(...)  lh_before_exec()
#define lh_before_execveat(...) lh_before_exec()

/* The end without destructors: ours would not be called either. */
#define lh_before__exit(...) lh_process_end_at_once()
#define lh_before__Exit(...) lh_process_end_at_once()

/* A thread that is going to put itself under a filter of system calls. */
static inline void lh_before_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                                   unsigned long d)
{
    lh_sandbox_before(SYS_prctl, option, (long)a, (long)b, (long)c, (long)d);
}

#endif

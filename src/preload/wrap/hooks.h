/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are interposed for our book-keeping: what is done before each. One function per HOOK
 * row of src/calls.def; runs on the program's threads. */
#ifndef LH_PRELOAD_WRAP_HOOKS_H
#define LH_PRELOAD_WRAP_HOOKS_H

#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/linux_compat.h"
#include "preload/iteration/sampler.h"
#include "preload/loop/loop.h"
#include "preload/process/lifecycle.h"
#include "preload/state/in_loop.h"
#include "preload/state/places.h"
#include "preload/state/state.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"
#include "preload/watchdog/watchdog.h"
#include "preload/wrap/nonlocal_exit.h"

/* Closing a loop's epoll set ends the loop, whatever the way. */
static inline void lh_before_closes(unsigned int first, unsigned int last)
{
    if (LH_UNLIKELY(lh_self.slot != NULL))
        lh_loop_closes(first, last);
}

static inline void lh_before_close(int fd)
{
    lh_before_closes((unsigned int)fd, (unsigned int)fd);
}

static inline void lh_before_dup2(int from, int to)
{
    if (from != to)
        lh_before_close(to);
}
#define lh_before_dup3(from, to, flags) lh_before_dup2(from, to)

/* close_range(2), with a flag, only says what an exec will close. */
static inline void lh_before_close_range(unsigned int first, unsigned int last, int flags)
{
    if ((flags & CLOSE_RANGE_CLOEXEC) == 0)
        lh_before_closes(first, last);
}

static inline void lh_before_closefrom(int first)
{
    lh_before_closes(first < 0 ? 0 : (unsigned int)first, UINT_MAX);
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
    if (lh_process == NULL || !lh_process_is_ours())
        return;
    lh_places_end();
    lh_watchdog_stop(LH_WATCHDOG_WAIT_NS);
}
#define lh_before_execve(...)   lh_before_exec()
#define lh_before_execv(...)    lh_before_exec()
#define lh_before_execvp(...)   lh_before_exec()
#define lh_before_execvpe(...)  lh_before_exec()
#define lh_before_fexecve(...)  lh_before_exec()
#define lh_before_execveat(...) lh_before_exec()

static inline void lh_before_exit(int status)
{
    (void)status;
    struct lh_slot *slot = lh_self.slot;
    if (LH_UNLIKELY(slot != NULL) && atomic_load(&slot->tid) != 0)
        lh_in_loop_exits(slot);
}

/* The end without destructors: ours would not be called either. */
#define lh_before__exit(...) lh_process_end_at_once()
#define lh_before__Exit(...) lh_process_end_at_once()

/* A loop that parks past libc may come: it is looked for once. */
static inline void lh_before_loop_may_come(void)
{
    if (LH_LIKELY(lh_process == NULL || atomic_load(&lh_process->scouted) != 0 ||
                  atomic_load(&lh_process->state) != LH_PROCESS_NEW))
        return;
    lh_process_scout();
}
#define lh_before_epoll_create(...) lh_before_loop_may_come()
#define lh_before_epoll_create1(...)                                                               \
    (lh_before_loop_may_come(), lh_before_loop_is_made((uintptr_t)__builtin_return_address(0)))

/* By a thread that has no loop yet. */
static inline void lh_before_loop_is_made(uintptr_t site)
{
    if (LH_UNLIKELY(lh_self.slot == NULL))
        lh_loop_is_made(site);
}

#define NAME_BYTES 16 /* of a thread, for the kernel: pthread_setname_np(3) takes no longer one */

/* A thread that gives itself a name may be one that the user has named: it has the name a moment
 * earlier, so that it is told of by that. */
static inline void lh_before_naming(unsigned long name)
{
    if (LH_LIKELY(lh_options.loop_mode != LH_LOOP_GLOBS))
        return;
    lh_syscall5(SYS_prctl, PR_SET_NAME, (long)name, 0, 0, 0);
    lh_loop_named(NULL);
}

static inline void lh_before_pthread_setname_np(pthread_t thread, const char *name)
{
    if (pthread_equal(thread, pthread_self()) && strnlen(name, NAME_BYTES) < NAME_BYTES)
        lh_before_naming((uintptr_t)name);
}

/* Also in a child of vfork(2), which has signals of its own and no timers of ours. */
static inline void lh_before_signal_is_set(int number)
{
    if (LH_UNLIKELY(lh_process != NULL))
        lh_sampler_give_back(number);
}
#define lh_before_sigaction(number, ...)     lh_before_signal_is_set(number)
#define lh_before_signal(number, ...)        lh_before_signal_is_set(number)
#define lh_before___sysv_signal(number, ...) lh_before_signal_is_set(number)
#define lh_before_sigset(number, ...)        lh_before_signal_is_set(number)
#define lh_before_sigignore(number)          lh_before_signal_is_set(number)
#define lh_before_siginterrupt(number, ...)  lh_before_signal_is_set(number)

/* A thread that is going to put itself under a filter of system calls. */
static inline void lh_before_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                                   unsigned long d)
{
    if (option == PR_SET_NAME)
        lh_before_naming(a);
    lh_process_before_filter(SYS_prctl, option, (long)a, (long)b, (long)c, (long)d);
}

#endif

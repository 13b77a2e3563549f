/* SPDX-License-Identifier: Apache-2.0 */
/* LOOPHOUND_ACTION. See action.h. Runs on the loop threads, also in their signal handlers: raw
 * system calls; errno stays, but for what a handler of the program's does to it. */
#include "preload/wrap/action.h"

#include <signal.h>

#include "loophound.h"
#include "preload/process/lifecycle.h"
#include "preload/sys/clock.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

#define FLUSH_WAIT_NS (5 * LH_NS_PER_S)

static uint64_t bit_of(int number)
{
    return 1ULL << (number - 1);
}

static bool is_blocked(int number)
{
    uint64_t blocked = 0;
    lh_syscall4(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&blocked, sizeof(blocked));
    return (blocked & bit_of(number)) != 0;
}

/* A thread that sends itself a signal which it does not block has got it when the call returns:
 * kill(2). */
static void raise_here(int number)
{
    lh_syscall3(SYS_tgkill, lh_syscall0(SYS_getpid), lh_syscall0(SYS_gettid), number);
}

/* In the steps of abort(3). The first process of a PID namespace gets no signal that it does not
 * handle (pid_namespaces(7)), but for that of its own fault. */
static void end_process(void)
{
    const struct lh_signal_action deadly = {.handler = NULL}; /* SIG_DFL */
    uint64_t abort_only = bit_of(SIGABRT);
    lh_syscall4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&abort_only, 0, sizeof(abort_only));
    raise_here(SIGABRT);
    lh_signal_action(SIGABRT, &deadly, NULL);
    raise_here(SIGABRT);
    __builtin_trap();
}

/* The time that this takes is no stall of the program's. */
static void flush(void)
{
    loophound_allow_begin();
    (void)lh_process_flush(FLUSH_WAIT_NS);
    loophound_allow_end();
}

void lh_action_take(void)
{
    if (lh_options.action == LH_ACTION_SIGNAL && is_blocked(lh_options.action_signal))
        return;
    flush();
    if (lh_options.action == LH_ACTION_ABORT)
        end_process();
    else
        raise_here(lh_options.action_signal);
}

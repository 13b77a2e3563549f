/* SPDX-License-Identifier: Apache-2.0 */
/* Waits for signals: see scenario.h. */
#include <signal.h>

#include "scenario.h"

/* libc's names: the header's sigpause is __xpg_sigpause. */
extern int bsd_sigpause(int mask) __asm__("sigpause");
extern int any_sigpause(int number, int is_signal) __asm__("__sigpause");
extern int xpg_sigpause(int number) __asm__("__xpg_sigpause");

static sigset_t set;
static pthread_t caller;
static volatile sig_atomic_t returned;

static void ignore(int number)
{
    (void)number;
}

/* Blocked in every thread, the helper's too: only who waits for it gets it. */
static void block_signal(void)
{
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

static void send_to_process(void)
{
    CHECK(kill(getpid(), SIGUSR1) == 0);
}

static void handle_signal(void)
{
    const struct sigaction action = {.sa_handler = ignore};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    sigemptyset(&set);
}

/* Again and again: the first may come before the thread waits. */
static void send_to_caller(void)
{
    while (!returned) {
        pthread_kill(caller, SIGUSR1);
        pause_ms(1);
    }
}

static long call_sigwait(void)
{
    int found = 0;
    return sigwait(&set, &found);
}

static long call_sigwaitinfo(void)
{
    return sigwaitinfo(&set, NULL);
}

static long call_sigtimedwait(void)
{
    const struct timespec timeout = {0, delay_ms * 1000000L};
    return sigtimedwait(&set, NULL, &timeout);
}

static long call_sigtimedwait_now(void)
{
    const struct timespec timeout = {0, 0};
    return sigtimedwait(&set, NULL, &timeout);
}

static void make_caller_known(void)
{
    handle_signal();
    caller = pthread_self();
}

static long call_sigsuspend(void)
{
    caller = pthread_self();
    long code = sigsuspend(&set);
    returned = 1;
    return code;
}

static long call_pause(void)
{
    caller = pthread_self();
    long code = pause();
    returned = 1;
    return code;
}

static long call_bsd_sigpause(void)
{
    caller = pthread_self();
    long code = bsd_sigpause(0);
    returned = 1;
    return code;
}

static long call_any_sigpause(void)
{
    caller = pthread_self();
    long code = any_sigpause(SIGUSR1, 1);
    returned = 1;
    return code;
}

static long call_xpg_sigpause(void)
{
    caller = pthread_self();
    long code = xpg_sigpause(SIGUSR1);
    returned = 1;
    return code;
}

static const struct scenario rows[] = {
    {"sigwait", block_signal, call_sigwait, send_to_process, NULL, NULL, 0},
    {"sigwaitinfo", block_signal, call_sigwaitinfo, send_to_process, NULL, NULL, 0},
    {"sigtimedwait", block_signal, call_sigtimedwait, NULL, block_signal, call_sigtimedwait_now, 0},
    {"sigsuspend", make_caller_known, call_sigsuspend, send_to_caller, NULL, NULL, 0},
    {"sigpause", make_caller_known, call_bsd_sigpause, send_to_caller, NULL, NULL, 0},
    {"__sigpause", make_caller_known, call_any_sigpause, send_to_caller, NULL, NULL, 0},
    {"__xpg_sigpause", make_caller_known, call_xpg_sigpause, send_to_caller, NULL, NULL, 0},
    {"pause", make_caller_known, call_pause, send_to_caller, NULL, NULL, 0},
};

SCENARIO_MAIN(rows)

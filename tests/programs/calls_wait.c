/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a descriptor, a socket to which nobody writes: see scenario.h. The epoll family waits
 * on another set than the loop's own; on the loop's own set it parks, which is no block however
 * long it takes. */
#include <poll.h>
#include <sys/select.h>

#include "scenario.h"
#include "silent.h"

/* The fortified forms that a program compiled with -D_FORTIFY_SOURCE calls. */
extern int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t fdslen);
extern int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                       const sigset_t *mask, size_t fdslen);

static struct epoll_event event;
static struct timespec timeout;
static struct timeval timeout_tv;
static int other_set;

static void wait_long(void)
{
    timeout = (struct timespec){delay_ms / 1000, (delay_ms % 1000) * 1000000L};
    timeout_tv = (struct timeval){timeout.tv_sec, timeout.tv_nsec / 1000};
    other_set = silent_set();
}

static void wait_not_at_all(void)
{
    timeout = (struct timespec){0, 0};
    timeout_tv = (struct timeval){0, 0};
}

static int milliseconds(void)
{
    return (int)(timeout.tv_sec * 1000 + timeout.tv_nsec / 1000000);
}

static long call_poll(void)
{
    return poll(silent_array(), 1, milliseconds());
}

static long call_poll_chk(void)
{
    return __poll_chk(silent_array(), 1, milliseconds(), sizeof(struct pollfd));
}

static long call_ppoll(void)
{
    return ppoll(silent_array(), 1, &timeout, NULL);
}

static long call_ppoll_chk(void)
{
    return __ppoll_chk(silent_array(), 1, &timeout, NULL, sizeof(struct pollfd));
}

static long call_select(void)
{
    return select(silent_socket() + 1, silent_sets(), NULL, NULL, &timeout_tv);
}

static long call_pselect(void)
{
    return pselect(silent_socket() + 1, silent_sets(), NULL, NULL, &timeout, NULL);
}

static long call_epoll_wait(void)
{
    return epoll_wait(other_set, &event, 1, milliseconds());
}

static long call_epoll_pwait(void)
{
    return epoll_pwait(other_set, &event, 1, milliseconds(), NULL);
}

static long call_epoll_pwait2(void)
{
    return epoll_pwait2(other_set, &event, 1, &timeout, NULL);
}

static long park_epoll_wait(void)
{
    return epoll_wait(own_set, &event, 1, milliseconds());
}

static long park_epoll_pwait(void)
{
    return epoll_pwait(own_set, &event, 1, milliseconds(), NULL);
}

static long park_epoll_pwait2(void)
{
    return epoll_pwait2(own_set, &event, 1, &timeout, NULL);
}

static const struct scenario rows[] = {
    {"poll", wait_long, call_poll, NULL, wait_not_at_all, call_poll, 0},
    {"__poll_chk", wait_long, call_poll_chk, NULL, wait_not_at_all, call_poll_chk, 0},
    {"ppoll", wait_long, call_ppoll, NULL, wait_not_at_all, call_ppoll, 0},
    {"__ppoll_chk", wait_long, call_ppoll_chk, NULL, wait_not_at_all, call_ppoll_chk, 0},
    {"select", wait_long, call_select, NULL, wait_not_at_all, call_select, 0},
    {"pselect", wait_long, call_pselect, NULL, wait_not_at_all, call_pselect, 0},
    {"epoll_wait", wait_long, call_epoll_wait, NULL, wait_long, park_epoll_wait, 0},
    {"epoll_pwait", wait_long, call_epoll_pwait, NULL, wait_long, park_epoll_pwait, 0},
    {"epoll_pwait2", wait_long, call_epoll_pwait2, NULL, wait_long, park_epoll_pwait2, 0},
};

SCENARIO_MAIN(rows)

/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that is held while descriptors become ready.
 *
 *   victims block|stall|nobody|few|edge|raw|twice|late|closed|poll|select|never
 *
 * Prints how many descriptors the loop found ready after that, all of its waits taken together. */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MS    1000000LL
#define READY 5 /* descriptors that become ready while the loop is held … */
#define ALL   8 /* … of so many */

static int set = -1;
static int fds[ALL];

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 * MS + now.tv_nsec;
}

static void sleep_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * MS};
    nanosleep(&time, NULL);
}

static void compute_ms(int ms)
{
    int64_t end = now_ns() + ms * MS;
    while (now_ns() < end)
        ;
}

static void make_ready(void)
{
    for (int i = 0; i < READY; i++)
        eventfd_write(fds[i], 1);
}

static void watch(uint32_t events)
{
    set = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < ALL; i++) {
        struct epoll_event event = {.events = events, .data.fd = fds[i]};
        epoll_ctl(set, EPOLL_CTL_ADD, fds[i], &event);
    }
}

static void consume(int fd)
{
    eventfd_t value;
    eventfd_read(fd, &value);
}

/* One wait; what is ready is read, unless edges tell of it. */
static int turn(int most, int timeout_ms, uint32_t events)
{
    struct epoll_event ready[ALL];
    int count = epoll_wait(set, ready, most, timeout_ms);
    for (int i = 0; i < count && (events & EPOLLET) == 0; i++)
        consume(ready[i].data.fd);
    return count;
}

static int drain(int most, uint32_t events)
{
    int all = 0;
    int count;
    while ((count = turn(most, 20, events)) > 0)
        all += count;
    return all;
}

static int begin_loop(uint32_t events)
{
    watch(events);
    return drain(ALL, events);
}

static int block(void)
{
    begin_loop(EPOLLIN);
    make_ready();
    sleep_ms(150);
    return drain(ALL, EPOLLIN);
}

static int stall(void)
{
    begin_loop(EPOLLIN);
    make_ready();
    compute_ms(150);
    return drain(ALL, EPOLLIN);
}

static int nobody(void)
{
    begin_loop(EPOLLIN);
    sleep_ms(150);
    make_ready();
    for (int i = 0; i < READY; i++)
        consume(fds[i]);
    return drain(ALL, EPOLLIN);
}

/* Asks for fewer than there are. */
static int few(void)
{
    begin_loop(EPOLLIN);
    make_ready();
    sleep_ms(150);
    return drain(2, EPOLLIN);
}

/* Ready to be written to all the time, which was told once: only new edges count. */
static int edge(void)
{
    uint32_t events = EPOLLIN | EPOLLOUT | EPOLLET;
    begin_loop(events);
    make_ready();
    sleep_ms(150);
    return drain(ALL, events);
}

static int raw(void)
{
    struct epoll_event ready[ALL];
    begin_loop(EPOLLIN);
    make_ready();
    sleep_ms(150);
    return (int)syscall(SYS_epoll_pwait, set, ready, ALL, 20, NULL, 8);
}

static int twice(void)
{
    begin_loop(EPOLLIN);
    make_ready();
    sleep_ms(8);
    sleep_ms(8);
    return drain(ALL, EPOLLIN);
}

/* The park that follows waits, and then there is something. */
static int late(void)
{
    struct timespec soon = {0, 50 * MS};
    begin_loop(EPOLLIN);
    sleep_ms(150);
    int timer = (int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
    const struct itimerspec times = {.it_value = soon};
    syscall(SYS_timerfd_settime, timer, 0, &times, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = timer};
    epoll_ctl(set, EPOLL_CTL_ADD, timer, &event);
    return turn(ALL, -1, EPOLLET);
}

/* The loop is over before it parks again. */
static int closed(void)
{
    begin_loop(EPOLLIN);
    make_ready();
    sleep_ms(150);
    close(set);
    return 0;
}

static int poll_all(int timeout_ms)
{
    struct pollfd items[ALL];
    for (int i = 0; i < ALL; i++)
        items[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    return poll(items, ALL, timeout_ms);
}

static int select_all(int timeout_ms)
{
    fd_set reads;
    struct timeval time = {0, timeout_ms * 1000};
    int highest = 0;
    FD_ZERO(&reads);
    for (int i = 0; i < ALL; i++) {
        FD_SET(fds[i], &reads);
        highest = fds[i] > highest ? fds[i] : highest;
    }
    return select(highest + 1, &reads, NULL, NULL, &time);
}

/* Loops without an epoll set: each waits and looks, at the same place. */
static int without_set(int (*wait)(int timeout_ms))
{
    int ready = 0;
    for (int i = 0; i < 12; i++) {
        if (i == 10) {
            make_ready();
            sleep_ms(150);
        }
        ready = wait(i % 2 * 5);
        if (i == 10)
            break;
    }
    return ready;
}

/* Held once and then for ever. */
static int never(void)
{
    begin_loop(EPOLLIN);
    make_ready();
    sleep_ms(150);
    pause(); /* no signal comes */
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} ways[] = {{"block", block}, {"stall", stall},  {"nobody", nobody}, {"few", few},
            {"edge", edge},   {"raw", raw},      {"twice", twice},   {"late", late},
            {"never", never}, {"closed", closed}};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (int i = 0; i < ALL; i++)
        fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (strcmp(name, "poll") == 0 || strcmp(name, "select") == 0) {
        printf("%d\n", without_set(name[0] == 'p' ? poll_all : select_all));
        return 0;
    }
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(name, ways[i].name) == 0) {
            printf("%d\n", ways[i].run());
            return 0;
        }
    return 2;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that parks by system calls of its own, past libc, as Rust's polling and Bun do.
 *
 *     inlined CALL HANDLER
 *
 * For each line on its standard input it runs the handler; at the end of the file it ends. CALL is
 * epoll_wait, epoll_pwait or epoll_pwait2. */
#include <errno.h>
#include <linux/time_types.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "processor.h"
#include "small_loop.h"

#define BUSY_MS  1500
#define TURN_MS  2
#define WAIT_MS  300
#define LATER_MS 100

static const char *call;
static int loop_set = -1;
static int wakeup = -1;

/* An instruction of its own, as where a compiler has put it in place. timeout_ms < 0: for ever. */
__attribute__((noinline)) static long park(int set, struct epoll_event *events, int count,
                                           long timeout_ms)
{
    struct __kernel_timespec time = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
    bool is_pwait2 = strcmp(call, "epoll_pwait2") == 0;
    long number = strcmp(call, "epoll_pwait") == 0 ? SYS_epoll_pwait : SYS_epoll_wait;
    long until = timeout_ms;
    if (is_pwait2)
        until = timeout_ms < 0 ? 0 : (long)&time;
    number = is_pwait2 ? SYS_epoll_pwait2 : number;
    return kernel_call(number, set, (long)events, count, until, 0, 8);
}

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

__attribute__((noinline)) static void compute(long ms)
{
    for (long end = now_ms() + ms; now_ms() < end;)
        for (volatile int i = 0; i < 1000; i++)
            continue;
}

static void computes(void)
{
    compute(BUSY_MS);
}

static void sleeps(void)
{
    sleep_ms(WAIT_MS);
}

/* Until there is another line. */
static void reads(void)
{
    char line[64];
    check(kernel_call(SYS_read, STDIN_FILENO, (long)line, sizeof(line), 0, 0, 0) > 0);
}

/* One short handler after the other, for there is always something ready. */
static void is_busy(void)
{
    uint64_t one = 1;
    struct epoll_event events[4];
    check(write(wakeup, &one, sizeof(one)) == sizeof(one));
    for (long end = now_ms() + BUSY_MS; now_ms() < end;) {
        compute(TURN_MS);
        check(park(loop_set, events, 4, -1) > 0);
    }
    check(read(wakeup, &one, sizeof(one)) == sizeof(one));
}

/* The same with nothing ready: it only looks. */
static void polls(void)
{
    struct epoll_event events[4];
    for (long end = now_ms() + BUSY_MS; now_ms() < end;) {
        compute(TURN_MS);
        check(park(loop_set, events, 4, 0) >= 0);
    }
}

static const struct way handlers[] = {
    {"computes", computes}, {"sleeps", sleeps}, {"reads", reads},
    {"busy", is_busy},      {"polls", polls},
};

static void watch(int set, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    check(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void run(const char *handler)
{
    struct epoll_event event = {.events = 0};
    char line[64];
    for (;;) {
        long ready = park(loop_set, &event, 1, -1);
        if (ready == -EINTR)
            continue;
        check(ready == 1 && event.data.fd == STDIN_FILENO);
        if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
            return;
        check(take_way(handlers, ROWS(handlers), handler) == 0);
    }
}

/* Begins when the main thread has long waited. */
static void *run_another_loop(void *unused)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    (void)unused;
    check(set >= 0);
    watch(set, wakeup);
    sleep_ms(LATER_MS);
    park(set, &event, 1, -1);
    return NULL;
}

static void begin_another_loop(void)
{
    pthread_t thread;
    check(pthread_create(&thread, NULL, run_another_loop, NULL) == 0);
    check(pthread_setname_np(thread, "another") == 0);
    check(pthread_detach(thread) == 0);
}

/* "client-HANDLER": it waits for an answer, and nothing can wake it; another thread has a loop. */
int main(int argc, char **argv)
{
    static const char client[] = "client-";
    check(argc == 3);
    call = argv[1];
    bool is_client = strncmp(argv[2], client, sizeof(client) - 1) == 0;
    loop_set = epoll_create1(EPOLL_CLOEXEC);
    wakeup = eventfd(0, EFD_CLOEXEC);
    check(loop_set >= 0 && wakeup >= 0);
    watch(loop_set, STDIN_FILENO);
    if (is_client)
        begin_another_loop();
    else
        watch(loop_set, wakeup);
    run(argv[2] + (is_client ? sizeof(client) - 1 : 0));
    return 0;
}

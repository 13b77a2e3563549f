/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that grow in one way, for growth.py, which runs them with the library:
 *
 *     growth loops N       N loops, each in an iteration for half of the time
 *     growth threads N     one such loop, and N threads that wait
 *     growth processes N   N processes with one loop each, that blocks once
 *     growth calls N       one loop with N calls in an iteration; prints what they cost
 *     growth frames N      reports from N frames deep; prints what one cost its thread
 *
 * Each prints a line when it is as it should be, or what it has measured, and ends when its
 * standard input does. */
/* link: -ldl */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS      5
#define BLOCK_US     150000
#define THREAD_STACK (64u << 10)
#define CALLS_MIN    200000 /* of all iterations together */
#define REPORTS      1000
#define AT_ONCE      50

static int count;
static ssize_t (*plain_read)(int, void *, size_t);

static void check(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

/* Of the thread's own time: what else runs here is not in it. */
static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void park(int set, int ms)
{
    struct epoll_event event;
    epoll_wait(set, &event, 1, ms);
}

/* Parks, and is in its iteration without computing, in turns. */
static void *run_loop(void *argument)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    for (;;) {
        park(set, TURN_MS);
        usleep(TURN_MS * 1000);
    }
    return argument;
}

static void *wait_for_ever(void *argument)
{
    pause();
    return argument;
}

static void start_threads(int wanted, void *(*run)(void *))
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    for (int i = 0; i < wanted; i++)
        check(pthread_create(&thread, &attributes, run, NULL) == 0, "pthread_create");
}

static void say_and_wait(const char *text)
{
    char byte;
    puts(text);
    fflush(stdout);
    while (plain_read(0, &byte, 1) > 0)
        ;
    _exit(0);
}

static void loops(void)
{
    start_threads(count, run_loop);
    say_and_wait("ready");
}

static void threads(void)
{
    start_threads(1, run_loop);
    start_threads(count, wait_for_ever);
    say_and_wait("ready");
}

/* `ends` is closed by the parent's end, whatever that is. */
static void child(int ready, int ends)
{
    char byte = 0;
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event end = {.events = EPOLLIN};
    check(epoll_ctl(set, EPOLL_CTL_ADD, ends, &end) == 0, "epoll_ctl");
    park(set, 0);
    usleep(BLOCK_US);
    check(write(ready, &byte, 1) == 1, "write");
    park(set, -1);
    exit(0);
}

static void processes(void)
{
    int ready[2];
    int ends[2];
    char byte;
    check(pipe(ready) == 0 && pipe(ends) == 0, "pipe");
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        check(pid >= 0, "fork");
        if (pid == 0) {
            close(ends[1]);
            child(ready[1], ends[0]);
        }
    }
    for (int i = 0; i < count; i++)
        check(plain_read(ready[0], &byte, 1) == 1, "read");
    puts("ready");
    fflush(stdout);
    while (plain_read(0, &byte, 1) > 0)
        ;
    close(ends[1]);
    while (wait(NULL) > 0)
        ;
}

/* ns of one call that fails at once. */
static double calls_ns(int set, ssize_t (*call)(int, void *, size_t))
{
    char byte;
    double sum = 0;
    int rounds = CALLS_MIN / count > 1 ? CALLS_MIN / count : 1;
    for (int round = 0; round < rounds; round++) {
        park(set, 0);
        double start = now_ns();
        for (int i = 0; i < count; i++)
            (void)!call(-1, &byte, 1);
        sum += now_ns() - start;
    }
    return sum / rounds / count;
}

static void calls(void)
{
    char text[96];
    int set = epoll_create1(EPOLL_CLOEXEC);
    double with = 1e9;
    double without = 1e9;
    for (int i = 0; i < 5; i++) { /* the least of some: what else runs here only adds */
        double one = calls_ns(set, read);
        double other = calls_ns(set, plain_read);
        with = one < with ? one : with;
        without = other < without ? other : without;
    }
    snprintf(text, sizeof(text), "%.2f %.2f", with, without);
    say_and_wait(text);
}

static int pipe_ends[2];

/* Reads what is there, from so many frames further in. Not a tail call: each has its frame. */
static __attribute__((noinline)) double deep(int frames)
{
    char byte = 0;
    if (frames > 0) {
        double us = deep(frames - 1);
        __asm__ volatile("" ::: "memory");
        return us;
    }
    check(write(pipe_ends[1], &byte, 1) == 1, "write");
    double start = now_ns();
    check(read(pipe_ends[0], &byte, 1) == 1, "read");
    return (now_ns() - start) / 1000;
}

static void frames(void)
{
    char text[64];
    static double us[REPORTS];
    int set = epoll_create1(EPOLL_CLOEXEC);
    check(pipe(pipe_ends) == 0, "pipe");
    double sum = 0;
    for (int i = 0; i < REPORTS; i++) {
        park(set, i % AT_ONCE == 0 ? 100 : 0); /* the collector keeps up */
        us[i] = deep(count);
        sum += us[i];
    }
    snprintf(text, sizeof(text), "%.2f %d", sum / REPORTS, REPORTS);
    say_and_wait(text);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } ways[] = {{"loops", loops},
                {"threads", threads},
                {"processes", processes},
                {"calls", calls},
                {"frames", frames}};
    count = argc == 3 ? atoi(argv[2]) : 0;
    plain_read = (ssize_t(*)(int, void *, size_t))dlsym(dlopen("libc.so.6", RTLD_NOW), "read");
    for (size_t i = 0; count > 0 && i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(ways[i].name, argv[1]) == 0) {
            ways[i].run();
            return 0;
        }
    fprintf(stderr, "usage: growth loops|threads|processes|calls|frames N\n");
    return 2;
}

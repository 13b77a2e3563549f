/* SPDX-License-Identifier: Apache-2.0 */
/* Loops inside loops, and loops after each other, on one thread.
 *
 *   nested_loops inside      a handler of the loop runs a loop on another epoll set
 *   nested_loops recursion   a handler of the loop runs the same loop once more
 *   nested_loops in-turn     a loop, a loop on another set while the first is still open, and the
 *                            first again; then one from further out in the program
 *   nested_loops returning   a loop deep inside the program, one further out on another set, and
 * the first again; then, inside that, one on a new set of the second's number nested_loops
 * one-place   one function waits for two sets, the second while the first is idle nested_loops
 * within      a call that waits for another set itself, after the loop
 *
 * Waits take 30 ms; sleeps of 40 ms are made in functions that say where. */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 30

typedef void handler(void);

static int first, second;
static volatile int not_the_last_call;

#define SLEEPER(name)                                                                              \
    static void name(void)                                                                         \
    {                                                                                              \
        const struct timespec time = {0, 200 * 1000000L};                                          \
        nanosleep(&time, NULL);                                                                    \
        not_the_last_call = __COUNTER__; /* differs */                                             \
    }

SLEEPER(sleep_in_first)
SLEEPER(sleep_in_second)

/* A loop of two turns. */
static void run(int set, handler *handle)
{
    struct epoll_event event;
    epoll_wait(set, &event, 1, WAIT_MS);
    if (handle != NULL)
        handle();
    epoll_wait(set, &event, 1, WAIT_MS);
    not_the_last_call = 1;
}

static void run_second(void)
{
    run(second, sleep_in_second);
    not_the_last_call = 1;
}

static void run_first_again(void)
{
    run(first, sleep_in_second);
    not_the_last_call = 1;
}

static int inside(void)
{
    run(first, run_second);
    run(first, sleep_in_first);
    return 0;
}

static int recursion(void)
{
    run(first, run_first_again);
    run(first, sleep_in_first);
    return 0;
}

static void run_all_in_turn(void)
{
    run(first, sleep_in_first);
    run(second, sleep_in_second);
    run(first, sleep_in_first);
    not_the_last_call = 1;
}

static int in_turn(void)
{
    run_all_in_turn();
    run(second, sleep_in_second);
    return 0;
}

static int one_place(void)
{
    struct epoll_event event;
    for (int i = 0; i < 3; i++) {
        epoll_wait(first, &event, 1, 0);
        epoll_wait(second, &event, 1, WAIT_MS);
    }
    return 0;
}

static ssize_t read_cookie(void *cookie, char *buf, size_t size)
{
    struct epoll_event event;
    (void)cookie, (void)buf, (void)size;
    epoll_wait(second, &event, 1, WAIT_MS);
    return 0;
}

static void run_first(void)
{
    run(first, NULL);
    not_the_last_call = 1;
}

/* Frames of the loop reach further in than those of the call. */
__attribute__((noinline)) static void run_deep_inside(unsigned depth)
{
    volatile unsigned char room[8192];
    room[depth] = 1;
    if (depth > 0)
        run_deep_inside(depth - 1);
    else
        run_first();
    not_the_last_call = room[depth];
}

static int returning(void)
{
    int number = second;
    run_deep_inside(4);
    run(second, NULL);
    run_deep_inside(4);
    close(second);
    second = epoll_create1(EPOLL_CLOEXEC);
    run(first, run_second);
    return second == number ? 0 : 3;
}

static int within(void)
{
    const cookie_io_functions_t functions = {.read = read_cookie};
    char byte;
    FILE *stream = fopencookie(NULL, "r", functions);
    if (stream == NULL)
        return 3;
    run_deep_inside(4);
    size_t got = fread(&byte, 1, 1, stream);
    run_deep_inside(4);
    run(first, run_second);
    return (int)got;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } scenarios[] = {{"inside", inside},       {"recursion", recursion}, {"in-turn", in_turn},
                     {"returning", returning}, {"one-place", one_place}, {"within", within}};
    first = epoll_create1(EPOLL_CLOEXEC);
    second = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; argc == 2 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(argv[1], scenarios[i].name) == 0)
            return scenarios[i].run();
    return 2;
}

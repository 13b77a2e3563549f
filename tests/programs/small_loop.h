/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that misbehave share: a check that ends them, an event loop of one turn. */
#ifndef SMALL_LOOP_H
#define SMALL_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

__attribute__((unused)) static void check(bool right)
{
    if (!right)
        abort();
}

/* The epoll set of a loop of the calling thread, which has parked once. */
__attribute__((unused)) static int begin_loop(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    check(set >= 0);
    check(epoll_wait(set, &event, 1, 0) == 0);
    return set;
}

__attribute__((unused)) static void turn(int set)
{
    struct epoll_event event;
    check(epoll_wait(set, &event, 1, 0) == 0);
}

/* Goes on after signals. */
__attribute__((unused)) static void sleep_ms(long ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0)
        continue;
}

/* A way to misbehave, which the program's first argument names. */
struct way {
    const char *name;
    void (*take)(void);
};

__attribute__((unused)) static int take_way(const struct way *ways, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (name == NULL || strcmp(ways[i].name, name) != 0)
            continue;
        ways[i].take();
        return 0;
    }
    (void)fprintf(stderr, "no such way\n");
    return 2;
}

#endif

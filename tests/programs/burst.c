/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that makes many short reads of a file, each from deep inside, at a steady rate.
 *
 *   burst DEPTH PATHS RATE SECONDS
 *
 * RATE reads a second from DEPTH frames, by PATHS ways in turn: each has a stack of its own. When
 * all are made it says how many, and ends when its standard input does. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS 2 /* a turn of the loop: what is due then is read at once */

static int file;
static volatile int not_the_last_call;

/* Which of the two calls is made is told by the path's bits, the innermost by the lowest. */
static void go_down(unsigned depth, unsigned path)
{
    char byte;
    if (depth == 0) {
        if (pread(file, &byte, 1, 0) != 1)
            abort();
        not_the_last_call = 0;
        return;
    }
    unsigned bit = depth <= 32 ? path >> (depth - 1) & 1 : 0;
    if (bit != 0) {
        go_down(depth - 1, path);
        not_the_last_call = 1;
    } else {
        go_down(depth - 1, path);
        not_the_last_call = 2;
    }
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    const unsigned depth = (unsigned)atoi(argv[1]);
    const unsigned paths = (unsigned)atoi(argv[2]);
    const double rate = atof(argv[3]);
    const double seconds = atof(argv[4]);
    const uint64_t all = (uint64_t)(rate * seconds);
    struct epoll_event event;
    int set = epoll_create1(0);
    file = open("/proc/self/exe", O_RDONLY);
    uint64_t start = now_ns();
    for (uint64_t made = 0; made < all;) {
        epoll_wait(set, &event, 1, TURN_MS);
        double due = (double)(now_ns() - start) / 1e9 * rate;
        for (; made < all && (double)made < due; made++)
            go_down(depth, (unsigned)(made % paths));
    }
    printf("%" PRIu64 " made in %.2f s\n", all, (double)(now_ns() - start) / 1e9);
    fflush(stdout);
    while (read(STDIN_FILENO, &event, 1) > 0)
        continue;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* deep_stack FRAMES: a loop thread that sleeps below so many frames of one KiB and more each. */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "settled.h"

static volatile int sink;

__attribute__((noinline)) static void go_down(int left)
{
    volatile char room[1024];
    memset((char *)room, left, sizeof(room));
    if (left > 0)
        go_down(left - 1);
    else
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    sink += room[left % (int)sizeof(room)];
}

int main(int argc, char **argv)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 0);
    settle(set);
    go_down(argc > 1 ? atoi(argv[1]) : 0);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Waits on standard input from inside a loop thread; the other half of chain.c, for LTO to join. */
#include <sys/epoll.h>
#include <unistd.h>

int become_a_loop(void);
int wait_for_a_byte(int depth);

int become_a_loop(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    return epoll_wait(set, &event, 1, 0);
}

static inline __attribute__((always_inline)) ssize_t read_byte(char *byte)
{
    return read(STDIN_FILENO, byte, 1);
}

__attribute__((noinline)) int wait_for_a_byte(int depth)
{
    char byte = (char)depth;
    if (depth > 0)
        return wait_for_a_byte(depth - 1) + 1;
    return (int)read_byte(&byte) + byte;
}

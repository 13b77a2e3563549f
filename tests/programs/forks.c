/* SPDX-License-Identifier: Apache-2.0 */
/* A handler that forks and then holds its loop, in a way that no wrapper sees or in one that is a
 * call.
 *
 *   forks raw|compute|call */
#include <sys/wait.h>
#include <unistd.h>

#include "processor.h"
#include "small_loop.h"

#define HELD_MS 600

/* By its own clock: samples are taken by that, and others may have the processor. */
static void compute(void)
{
    struct timespec begin;
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < HELD_MS);
}

static void call(void)
{
    sleep_ms(HELD_MS);
}

/* As a runtime does that makes its system calls itself. */
static void raw(void)
{
    const struct timespec time = {0, HELD_MS * 1000000L};
    check(kernel_call(SYS_nanosleep, (long)&time, 0, 0, 0, 0, 0) == 0);
}

int main(int argc, char **argv)
{
    static const struct way ways[] = {{"raw", raw}, {"compute", compute}, {"call", call}};
    int set = begin_loop();
    pid_t pid = fork();
    check(pid >= 0);
    if (pid == 0)
        _exit(0);
    int error = take_way(ways, ROWS(ways), argc == 2 ? argv[1] : NULL);
    turn(set);
    check(waitpid(pid, NULL, 0) == pid);
    return error;
}

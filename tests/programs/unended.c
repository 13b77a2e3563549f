/* SPDX-License-Identifier: Apache-2.0 */
/* A loop in which something goes on when the process ends.
 *
 *   unended call|iteration kill|_exit|exit|exec|back
 *
 * The loop is in a call, or computes, until a byte comes on standard input; then another thread
 * ends the process so. `back`: the call or the iteration ends first. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "small_loop.h"

static int ends[2];
static _Atomic bool done;
static const char *how;

static void back(void)
{
    atomic_store(&done, true);
    check(write(ends[1], "", 1) == 1);
    for (;;)
        pause();
}

static void be_killed(void)
{
    kill(getpid(), SIGKILL);
}

static void exit_at_once(void)
{
    _exit(0);
}

static void exit_normally(void)
{
    exit(0);
}

static void exec_true(void)
{
    execl("/bin/true", "true", NULL);
}

static void *end_it(void *unused)
{
    static const struct way ways[] = {{"kill", be_killed},
                                      {"_exit", exit_at_once},
                                      {"exit", exit_normally},
                                      {"exec", exec_true},
                                      {"back", back}};
    char byte;
    check(read(STDIN_FILENO, &byte, 1) == 1);
    check(take_way(ways, ROWS(ways), how) == 0);
    return unused;
}

static void call(void)
{
    char byte;
    check(read(ends[0], &byte, 1) == 1);
}

static void iteration(void)
{
    while (!atomic_load(&done))
        continue;
}

int main(int argc, char **argv)
{
    static const struct way ways[] = {{"call", call}, {"iteration", iteration}};
    pthread_t thread;
    check(argc == 3 && pipe2(ends, O_CLOEXEC) == 0);
    how = argv[2];
    int set = begin_loop();
    check(pthread_create(&thread, NULL, end_it, NULL) == 0);
    check(take_way(ways, ROWS(ways), argv[1]) == 0);
    turn(set);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Loop threads that are interrupted, jumped out of, forked and cancelled while they make calls. Its
 * own results are checked as it goes: it ends with abort() when the library changes one. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loophound.h"

#define WORKERS   3
#define ROUNDS    2000
#define SIGNALS   2000
#define CANCELLED 20

static __thread sigjmp_buf before_pause;
static __thread volatile sig_atomic_t may_jump;
static volatile sig_atomic_t signals_seen;

/* Makes a wrapped call itself, and leaves every third time by siglongjmp. */
static void on_signal(int number)
{
    int saved_errno = errno;
    char c;
    (void)number;
    (void)!read(-1, &c, 1);
    errno = saved_errno;
    signals_seen = signals_seen + 1;
    if (may_jump && signals_seen % 3 == 0) {
        may_jump = 0;
        siglongjmp(before_pause, 1);
    }
}

static void check(bool good)
{
    if (!good)
        abort();
}

static void send_a_byte(const int pair[2])
{
    char sent = 'x';
    char received = 0;
    check(write(pair[0], &sent, 1) == 1);
    while (read(pair[1], &received, 1) < 0)
        check(errno == EINTR);
    check(received == sent);
}

static void pause_or_be_jumped_out_of(int round)
{
    if (sigsetjmp(before_pause, 1) == 0) {
        may_jump = 1;
        usleep(round % 7 == 0 ? 300 : 1);
        may_jump = 0;
    }
}

/* The child has a loop of its own. */
static void fork_a_loop(int set)
{
    struct epoll_event event;
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        epoll_wait(set, &event, 1, 0);
        usleep(1);
        _exit(7);
    }
    while (waitpid(child, &status, 0) < 0)
        check(errno == EINTR);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

static void *run_loop(void *rounds)
{
    struct epoll_event event;
    int pair[2];
    int set = epoll_create1(EPOLL_CLOEXEC);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    for (int round = 0; round < *(int *)rounds; round++) {
        epoll_wait(set, &event, 1, 0);
        send_a_byte(pair);
        pause_or_be_jumped_out_of(round);
        if (round % 500 == 0)
            fork_a_loop(set);
    }
    close(pair[0]);
    close(pair[1]);
    close(set);
    return NULL;
}

static void close_set(void *set)
{
    close(*(int *)set);
}

static void *run_loop_until_cancelled(void *unused)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    pthread_cleanup_push(close_set, &set);
    epoll_wait(set, &event, 1, 0);
    for (;;)
        usleep(100);
    pthread_cleanup_pop(1);
    return unused;
}

/* When all that was said before is written, one more thing is. */
static void after_all(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 0);
    for (int i = 0; i < 6 && loophound_flush() != 0; i++) /* each waits 5 s at most */
        continue;
    usleep(2000);
    close(set);
}

int main(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    static int rounds = ROUNDS;
    pthread_t workers[WORKERS];
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < WORKERS; i++)
        check(pthread_create(&workers[i], NULL, run_loop, &rounds) == 0);
    for (int i = 0; i < SIGNALS; i++) {
        pthread_kill(workers[i % WORKERS], SIGUSR1); /* of one that has ended: nothing happens */
        usleep(100);
    }
    for (int i = 0; i < WORKERS; i++)
        check(pthread_join(workers[i], NULL) == 0);
    for (int i = 0; i < CANCELLED; i++) {
        void *result = NULL;
        check(pthread_create(&workers[0], NULL, run_loop_until_cancelled, NULL) == 0);
        usleep(1000);
        check(pthread_cancel(workers[0]) == 0 && pthread_join(workers[0], &result) == 0);
        check(result == PTHREAD_CANCELED);
    }
    after_all();
    puts("calm");
    return 0;
}

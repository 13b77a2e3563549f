/* SPDX-License-Identifier: Apache-2.0 */
/* Eight loop threads make 100,000 calls each, while signals come in whose handlers make calls,
 * while they fork children with loops of their own, and while further loop threads are cancelled.
 * It counts the calls that could have waited, by the rules of strict mode, and prints them at its
 * end:
 *
 *   threads LOOP_THREADS forks FORKS NAME COUNT NAME COUNT ...
 *
 * and for each child one line "child PID NAME COUNT ...". It ends with abort() where a call gives
 * another result than libc's. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKERS               8
#define CALLS                 100000 /* of each worker, beside those of its children */
#define CALLS_PER_TURN        10
#define TURNS                 (CALLS / CALLS_PER_TURN)
#define FORKS                 4 /* of each worker */
#define CHILD_TURNS           20
#define CANCELLED             40
#define ALTERNATE_STACK_BYTES 65536

static _Atomic unsigned reads, writes, sleeps, waits; /* that could have waited */
static _Atomic unsigned workers_left = WORKERS;
static int pipe_without_waits[2];

static void check(bool good)
{
    if (!good)
        abort();
}

/* Makes calls that cannot wait: whatever they interrupt, they are not to be counted. */
static void on_signal(int number)
{
    int saved_errno = errno;
    char c = (char)number;
    check(read(-1, &c, 1) < 0 && errno == EBADF);
    (void)!write(pipe_without_waits[1], &c, 1);
    errno = saved_errno;
}

static void send_a_byte(const int pair[2])
{
    char sent = 'x';
    char received = 0;
    check(write(pair[0], &sent, 1) == 1);
    check(read(pair[1], &received, 1) == 1 && received == sent);
    writes++;
    reads++;
}

/* A round of calls of all sorts, CALLS_PER_TURN with the four of its callees. */
static void turn(int set, const int pair[2], int number)
{
    static pthread_mutex_t shared = PTHREAD_MUTEX_INITIALIZER;
    struct epoll_event event;
    const struct timespec moment = {.tv_nsec = number % 50 == 0 ? 1 : 0};
    char c;
    epoll_wait(set, &event, 1, 0);
    send_a_byte(pair);
    check(recv(pair[1], &c, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
    (void)!read(pipe_without_waits[0], &c, 1);
    check(nanosleep(&moment, NULL) == 0 || errno == EINTR);
    sleeps += moment.tv_nsec > 0;
    send_a_byte(pair);
    check(pthread_mutex_trylock(&shared) == 0 ? pthread_mutex_unlock(&shared) == 0 : true);
    check(lseek(pair[0], 0, SEEK_CUR) < 0 && errno == ESPIPE);
}

struct loop {
    int set;
    int pair[2];
};

static void open_loop(struct loop *loop)
{
    loop->set = epoll_create1(EPOLL_CLOEXEC);
    check(loop->set >= 0);
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, loop->pair) == 0);
}

static void close_loop(void *argument)
{
    struct loop *loop = argument;
    close(loop->pair[0]);
    close(loop->pair[1]);
    close(loop->set);
}

static void print_counts(void)
{
    printf("read %u write %u nanosleep %u waitpid %u\n", reads, writes, sleeps, waits);
}

/* The child of a process with many threads, one of which is its own now. */
static void run_child(void)
{
    struct loop loop;
    reads = writes = sleeps = waits = 0;
    open_loop(&loop);
    for (int i = 0; i < CHILD_TURNS; i++)
        turn(loop.set, loop.pair, i);
    char line[128];
    int length = snprintf(line, sizeof(line), "child %d read %u write %u nanosleep %u waitpid 0\n",
                          getpid(), reads, writes, sleeps);
    check(write(STDOUT_FILENO, line, (size_t)length) == length);
    _exit(7);
}

static void fork_a_child(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        run_child();
    do
        waits++;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* Handlers of every second worker run on a stack of their own, which is further out than all calls:
 * it is an array of their callers'. */
static void *run_loop(void *on_own_stack)
{
    struct loop loop;
    char bytes[ALTERNATE_STACK_BYTES];
    const stack_t stack = {.ss_sp = bytes, .ss_size = sizeof(bytes)};
    if (on_own_stack != NULL)
        check(sigaltstack(&stack, NULL) == 0);
    open_loop(&loop);
    for (int i = 0; i < TURNS; i++) {
        turn(loop.set, loop.pair, i);
        if (i % (TURNS / FORKS) == TURNS / FORKS / 2)
            fork_a_child();
    }
    close_loop(&loop);
    check(sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL) == 0);
    workers_left--;
    return NULL;
}

struct cancelled {
    bool in_park; /* or in a read that never returns */
    sem_t ready;
};

static void *run_until_cancelled(void *argument)
{
    struct cancelled *cancelled = argument;
    struct epoll_event event;
    struct loop loop;
    char c;
    open_loop(&loop);
    pthread_cleanup_push(close_loop, &loop);
    for (int i = 0; i < CHILD_TURNS; i++)
        turn(loop.set, loop.pair, i);
    sem_post(&cancelled->ready);
    for (;;) {
        if (cancelled->in_park)
            epoll_wait(loop.set, &event, 1, -1);
        else
            (void)!read(loop.pair[1], &c, 1);
    }
    pthread_cleanup_pop(1);
    return NULL;
}

static void cancel_threads(void)
{
    for (int i = 0; i < CANCELLED; i++) {
        struct cancelled cancelled = {.in_park = i % 2 == 0};
        void *result = NULL;
        pthread_t thread;
        sem_init(&cancelled.ready, 0, 0);
        check(pthread_create(&thread, NULL, run_until_cancelled, &cancelled) == 0);
        while (sem_wait(&cancelled.ready) != 0)
            check(errno == EINTR);
        check(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
        check(result == PTHREAD_CANCELED);
        sem_destroy(&cancelled.ready);
    }
}

/* Signals to all workers in turn, as long as they work. */
static void *disturb(void *workers)
{
    const struct timespec moment = {.tv_nsec = 50000};
    for (unsigned i = 0; workers_left > 0; i++) {
        pthread_kill(((pthread_t *)workers)[i % WORKERS], SIGUSR1);
        nanosleep(&moment, NULL);
    }
    return NULL;
}

int main(void)
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    pthread_t workers[WORKERS];
    pthread_t disturber;
    check(pipe2(pipe_without_waits, O_NONBLOCK | O_CLOEXEC) == 0);
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < WORKERS; i++)
        check(pthread_create(&workers[i], NULL, run_loop, i % 2 == 0 ? NULL : workers) == 0);
    check(pthread_create(&disturber, NULL, disturb, workers) == 0);
    cancel_threads();
    check(pthread_join(disturber, NULL) == 0);
    for (int i = 0; i < WORKERS; i++)
        check(pthread_join(workers[i], NULL) == 0);
    printf("threads %d forks %d ", WORKERS + CANCELLED, WORKERS * FORKS);
    print_counts();
    return 0;
}

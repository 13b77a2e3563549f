/* SPDX-License-Identifier: Apache-2.0 */
/* The cancellation points of pthreads(7) that can be made to wait, and what they wait for. Those
 * that cannot, and all other calls, are left with a cancellation pending: scenario.h. */
#ifndef CANCELLATION_POINTS_H
#define CANCELLATION_POINTS_H

#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "small_loop.h"

/* ---- what the calls wait for: made once, and never ready ---- */

static int empty[2]; /* a socket pair that nobody writes to */
static int full[2];  /* and one that takes nothing more */
static int full_pipe[2];
static int listener;                    /* nobody connects */
static struct sockaddr_un busy_address; /* its listener's queue is full */
static char fifo[64];                   /* nobody opens the other end */
static char locked[64];                 /* another process has the lock */
static int queue;                       /* a message queue without messages */
static int full_queue;                  /* and one that takes nothing more */
static mqd_t mqueue, full_mqueue;       /* the same by POSIX */
static struct aiocb job;                /* reads what nobody writes */
static const struct aiocb *const jobs[] = {&job};
static int own_set; /* of the main thread */
static pid_t child; /* waits for ever */
static sem_t never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_t endless;
static char bytes[4096];

static void *wait_for_ever(void *unused)
{
    for (;;)
        sleep_ms(3600 * 1000);
    return unused;
}

static void fill(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (write(fd, bytes, sizeof(bytes)) > 0 || write(fd, bytes, 1) > 0)
        continue;
    fcntl(fd, F_SETFL, flags);
}

static void make_busy_listener(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    busy_address.sun_family = AF_UNIX;
    check(snprintf(busy_address.sun_path, sizeof(busy_address.sun_path), "busy.%d", getpid()) > 0);
    check(bind(fd, (struct sockaddr *)&busy_address, sizeof(busy_address)) == 0);
    check(listen(fd, 0) == 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    check(connect(client, (struct sockaddr *)&busy_address, sizeof(busy_address)) == 0);
}

/* It holds the lock, and is waited for. */
static void make_child(void)
{
    int told[2];
    char byte;
    check(snprintf(locked, sizeof(locked), "locked.%d", getpid()) > 0 && pipe(told) == 0);
    child = fork();
    if (child == 0) {
        int fd = open(locked, O_RDWR | O_CREAT, 0600);
        check(lockf(fd, F_LOCK, 1) == 0 && write(told[1], "x", 1) == 1);
        wait_for_ever(NULL);
    }
    check(read(told[0], &byte, 1) == 1);
}

static void make_queues(void)
{
    struct mq_attr size = {.mq_maxmsg = 1, .mq_msgsize = 8};
    struct {
        long type;
        char text[sizeof(bytes)];
    } message = {1, {0}};
    char name[64];
    queue = msgget(IPC_PRIVATE, 0600);
    full_queue = msgget(IPC_PRIVATE, 0600);
    check(queue >= 0 && full_queue >= 0);
    while (msgsnd(full_queue, &message, sizeof(bytes), IPC_NOWAIT) == 0)
        continue;
    mqd_t *const made[] = {&mqueue, &full_mqueue};
    for (size_t i = 0; i < ROWS(made); i++) {
        check(snprintf(name, sizeof(name), "/cancelled.%zu.%d", i, getpid()) > 0);
        *made[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &size);
        check(*made[i] >= 0 && mq_unlink(name) == 0);
    }
    check(mq_send(full_mqueue, "x", 1, 0) == 0);
}

static void make_things(void)
{
    struct sockaddr_un unnamed = {.sun_family = AF_UNIX};
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, empty) == 0);
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, full) == 0 && pipe(full_pipe) == 0);
    fill(full[0]);
    fill(full_pipe[1]);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    check(bind(listener, (struct sockaddr *)&unnamed, sizeof(sa_family_t)) == 0);
    check(listen(listener, 1) == 0);
    make_busy_listener();
    check(snprintf(fifo, sizeof(fifo), "fifo.%d", getpid()) > 0 && mkfifo(fifo, 0600) == 0);
    make_queues();
    job = (struct aiocb){.aio_fildes = empty[0], .aio_buf = bytes, .aio_nbytes = 1};
    check(aio_read(&job) == 0 && sem_init(&never, 0, 0) == 0);
    own_set = epoll_create1(EPOLL_CLOEXEC);
    make_child();
    check(pthread_create(&endless, NULL, wait_for_ever, NULL) == 0);
}

static void remove_things(void)
{
    kill(child, SIGKILL);
    check(waitpid(child, NULL, 0) == child);
    msgctl(queue, IPC_RMID, NULL);
    msgctl(full_queue, IPC_RMID, NULL);
    unlink(fifo);
    unlink(locked);
    unlink(busy_address.sun_path);
}

/* ---- the cancellation points ---- */

/* The header's name for it is deprecated. */
extern int xpg_sigpause(int number) __asm__("__xpg_sigpause");

static const struct timespec hour = {3600, 0};
static struct iovec vector = {bytes, sizeof(bytes)};

static struct timespec in_an_hour(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_sec += 3600;
    return time;
}

#define WAIT(name, ...)                                                                            \
    static void wait_##name(void)                                                                  \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }
/* NOLINTBEGIN(bugprone-unused-return-value): none of them returns */
WAIT(read, (void)!read(empty[0], bytes, 1))
WAIT(readv, (void)!readv(empty[0], &vector, 1))
WAIT(write, (void)!write(full_pipe[1], bytes, 1))
WAIT(writev, (void)!writev(full_pipe[1], &vector, 1))
WAIT(recv, recv(empty[0], bytes, 1, 0))
WAIT(recvfrom, recvfrom(empty[0], bytes, 1, 0, NULL, NULL))
WAIT(recvmsg, struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
     recvmsg(empty[0], &message, 0))
WAIT(send, send(full[0], bytes, sizeof(bytes), 0))
WAIT(sendto, sendto(full[0], bytes, sizeof(bytes), 0, NULL, 0))
WAIT(sendmsg, struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
     sendmsg(full[0], &message, 0))
WAIT(accept, accept(listener, NULL, NULL))
WAIT(accept4, accept4(listener, NULL, NULL, SOCK_CLOEXEC))
WAIT(connect, int fd = socket(AF_UNIX, SOCK_STREAM, 0);
     connect(fd, (struct sockaddr *)&busy_address, sizeof(busy_address)))
WAIT(open, open(fifo, O_RDONLY))
WAIT(openat, openat(AT_FDCWD, fifo, O_WRONLY))
WAIT(creat, creat(fifo, 0600))
WAIT(poll, struct pollfd fd = {empty[0], POLLIN, 0}; poll(&fd, 1, -1))
WAIT(ppoll, struct pollfd fd = {empty[0], POLLIN, 0}; ppoll(&fd, 1, NULL, NULL))
WAIT(select, select(0, NULL, NULL, NULL, NULL))
WAIT(pselect, pselect(0, NULL, NULL, NULL, NULL, NULL))
WAIT(epoll_wait, struct epoll_event event; epoll_wait(own_set, &event, 1, -1))
WAIT(epoll_pwait, struct epoll_event event; epoll_pwait(own_set, &event, 1, -1, NULL))
WAIT(epoll_pwait2, struct epoll_event event; epoll_pwait2(own_set, &event, 1, &hour, NULL))
WAIT(sleep, sleep(3600))
WAIT(usleep, usleep(3600U * 1000 * 1000))
WAIT(nanosleep, nanosleep(&hour, NULL))
WAIT(clock_nanosleep, clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL))
WAIT(pause, pause())
WAIT(sigsuspend, sigset_t none; sigemptyset(&none); sigsuspend(&none))
WAIT(sigpause, xpg_sigpause(SIGUSR1))
WAIT(sigwait, sigset_t usr1; int number; sigemptyset(&usr1); sigaddset(&usr1, SIGUSR1);
     sigwait(&usr1, &number))
WAIT(sigwaitinfo, sigset_t usr1; sigemptyset(&usr1); sigaddset(&usr1, SIGUSR1);
     sigwaitinfo(&usr1, NULL))
WAIT(sigtimedwait, sigset_t usr1; sigemptyset(&usr1); sigaddset(&usr1, SIGUSR1);
     sigtimedwait(&usr1, NULL, &hour))
WAIT(sem_wait, sem_wait(&never))
WAIT(sem_timedwait, struct timespec end = in_an_hour(CLOCK_REALTIME); sem_timedwait(&never, &end))
WAIT(sem_clockwait, struct timespec end = in_an_hour(CLOCK_MONOTONIC);
     sem_clockwait(&never, CLOCK_MONOTONIC, &end))
WAIT(pthread_cond_wait, pthread_cond_wait(&condition, &mutex))
WAIT(pthread_cond_timedwait, struct timespec end = in_an_hour(CLOCK_REALTIME);
     pthread_cond_timedwait(&condition, &mutex, &end))
WAIT(pthread_cond_clockwait, struct timespec end = in_an_hour(CLOCK_MONOTONIC);
     pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &end))
WAIT(pthread_join, pthread_join(endless, NULL))
WAIT(wait, wait(NULL))
WAIT(waitpid, waitpid(child, NULL, 0))
WAIT(waitid, siginfo_t info; waitid(P_PID, (id_t)child, &info, WEXITED))
WAIT(wait4, wait4(child, NULL, 0, NULL))
WAIT(system, system("exec sleep 3600"))
WAIT(lockf, int fd = open(locked, O_RDWR); lockf(fd, F_LOCK, 1))
WAIT(fcntl, struct flock lock = {.l_type = F_WRLCK}; int fd = open(locked, O_RDWR);
     fcntl(fd, F_SETLKW, &lock))
WAIT(msgrcv, msgrcv(queue, bytes, sizeof(bytes) - sizeof(long), 0, 0))
WAIT(
    msgsnd,
    static struct {
        long type;
        char text[sizeof(bytes)];
    } message = {1, {0}};
    msgsnd(full_queue, &message, sizeof(bytes), 0))
WAIT(mq_receive, mq_receive(mqueue, bytes, sizeof(bytes), NULL))
WAIT(mq_timedreceive, struct timespec end = in_an_hour(CLOCK_REALTIME);
     mq_timedreceive(mqueue, bytes, sizeof(bytes), NULL, &end))
WAIT(mq_send, mq_send(full_mqueue, "x", 1, 0))
WAIT(mq_timedsend, struct timespec end = in_an_hour(CLOCK_REALTIME);
     mq_timedsend(full_mqueue, "x", 1, 0, &end))
WAIT(aio_suspend, aio_suspend(jobs, 1, NULL))
/* NOLINTEND(bugprone-unused-return-value) */

struct point {
    const char *name;
    void (*wait)(void);
    long number; /* of the system call to be cancelled in, where it makes several; 0: any */
};

static const struct point points[] = {
    {"read", wait_read, 0},
    {"readv", wait_readv, 0},
    {"write", wait_write, 0},
    {"writev", wait_writev, 0},
    {"recv", wait_recv, 0},
    {"recvfrom", wait_recvfrom, 0},
    {"recvmsg", wait_recvmsg, 0},
    {"send", wait_send, 0},
    {"sendto", wait_sendto, 0},
    {"sendmsg", wait_sendmsg, 0},
    {"accept", wait_accept, 0},
    {"accept4", wait_accept4, 0},
    {"connect", wait_connect, 0},
    {"open", wait_open, 0},
    {"openat", wait_openat, 0},
    {"creat", wait_creat, 0},
    {"poll", wait_poll, 0},
    {"ppoll", wait_ppoll, 0},
    {"select", wait_select, 0},
    {"pselect", wait_pselect, 0},
    {"epoll_wait", wait_epoll_wait, 0},
    {"epoll_pwait", wait_epoll_pwait, 0},
    {"epoll_pwait2", wait_epoll_pwait2, 0},
    {"sleep", wait_sleep, 0},
    {"usleep", wait_usleep, 0},
    {"nanosleep", wait_nanosleep, 0},
    {"clock_nanosleep", wait_clock_nanosleep, 0},
    {"pause", wait_pause, 0},
    {"sigsuspend", wait_sigsuspend, 0},
    {"sigpause", wait_sigpause, 0},
    {"sigwait", wait_sigwait, 0},
    {"sigwaitinfo", wait_sigwaitinfo, 0},
    {"sigtimedwait", wait_sigtimedwait, 0},
    {"sem_wait", wait_sem_wait, 0},
    {"sem_timedwait", wait_sem_timedwait, 0},
    {"sem_clockwait", wait_sem_clockwait, 0},
    {"pthread_cond_wait", wait_pthread_cond_wait, 0},
    {"pthread_cond_timedwait", wait_pthread_cond_timedwait, 0},
    {"pthread_cond_clockwait", wait_pthread_cond_clockwait, 0},
    {"pthread_join", wait_pthread_join, 0},
    {"wait", wait_wait, 0},
    {"waitpid", wait_waitpid, 0},
    {"waitid", wait_waitid, 0},
    {"wait4", wait_wait4, 0},
    {"system", wait_system,
     SYS_wait4}, /* and not while it makes the process, which would be left */
    {"lockf", wait_lockf, 0},
    {"fcntl", wait_fcntl, 0},
    {"msgrcv", wait_msgrcv, 0},
    {"msgsnd", wait_msgsnd, 0},
    {"mq_receive", wait_mq_receive, 0},
    {"mq_timedreceive", wait_mq_timedreceive, 0},
    {"mq_send", wait_mq_send, 0},
    {"mq_timedsend", wait_mq_timedsend, 0},
    {"aio_suspend", wait_aio_suspend, 0},
};

#endif

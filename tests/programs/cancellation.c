/* Threads that are cancelled while they wait: cancellation WAY.
 *
 *   all       in each cancellation point of the table, deferred and asynchronously, on a loop
 * thread and elsewhere: one line each, of what the thread left behind cleanup   on a loop thread,
 * whose cleanup handler then blocks for BLOCK_MS: out of its park, and out of a call storm     loop
 * threads in the middle of calls, asynchronously, CANCELLED times
 *
 * It ends with abort() where a cancellation does not do what it should. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "small_loop.h"

#define BLOCK_MS  150
#define CANCELLED 200

/* ---- what the calls wait for: made once, and never ready ---- */

static int empty[2]; /* a socket pair that nobody writes to */
static int full[2];  /* and one that takes nothing more */
static int full_pipe[2];
static int listener;                    /* nobody connects */
static struct sockaddr_un busy_address; /* its listener's queue is full */
static char fifo[64];                   /* nobody opens the other end */
static char locked[64];                 /* another process has the lock */
static int queue;                       /* a message queue without messages */
static int own_set;                     /* of the main thread */
static pid_t child;                     /* waits for ever */
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
    queue = msgget(IPC_PRIVATE, 0600);
    check(queue >= 0 && sem_init(&never, 0, 0) == 0);
    own_set = epoll_create1(EPOLL_CLOEXEC);
    make_child();
    check(pthread_create(&endless, NULL, wait_for_ever, NULL) == 0);
}

static void remove_things(void)
{
    kill(child, SIGKILL);
    check(waitpid(child, NULL, 0) == child);
    msgctl(queue, IPC_RMID, NULL);
    unlink(fifo);
    unlink(locked);
    unlink(busy_address.sun_path);
}

/* ---- the cancellation points: pthreads(7) ---- */

static const struct timespec hour = {3600, 0};
static struct iovec vector = {bytes, sizeof(bytes)};

static struct timespec in_an_hour(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
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
WAIT(poll, struct pollfd fd = {empty[0], POLLIN, 0}; poll(&fd, 1, -1))
WAIT(ppoll, struct pollfd fd = {empty[0], POLLIN, 0}; ppoll(&fd, 1, NULL, NULL))
WAIT(select, select(0, NULL, NULL, NULL, NULL))
WAIT(pselect, pselect(0, NULL, NULL, NULL, NULL, NULL))
WAIT(epoll_wait, struct epoll_event event; epoll_wait(own_set, &event, 1, -1))
WAIT(epoll_pwait, struct epoll_event event; epoll_pwait(own_set, &event, 1, -1, NULL))
WAIT(sleep, sleep(3600))
WAIT(usleep, usleep(3600U * 1000 * 1000))
WAIT(nanosleep, nanosleep(&hour, NULL))
WAIT(clock_nanosleep, clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL))
WAIT(pause, pause())
WAIT(sigsuspend, sigset_t none; sigemptyset(&none); sigsuspend(&none))
WAIT(sigwait, sigset_t usr1; int number; sigemptyset(&usr1); sigaddset(&usr1, SIGUSR1);
     sigwait(&usr1, &number))
WAIT(sigwaitinfo, sigset_t usr1; sigemptyset(&usr1); sigaddset(&usr1, SIGUSR1);
     sigwaitinfo(&usr1, NULL))
WAIT(sigtimedwait, sigset_t usr1; sigemptyset(&usr1); sigaddset(&usr1, SIGUSR1);
     sigtimedwait(&usr1, NULL, &hour))
WAIT(sem_wait, sem_wait(&never))
WAIT(sem_timedwait, struct timespec end = in_an_hour(); sem_timedwait(&never, &end))
WAIT(pthread_cond_wait, pthread_cond_wait(&condition, &mutex))
WAIT(pthread_cond_timedwait, struct timespec end = in_an_hour();
     pthread_cond_timedwait(&condition, &mutex, &end))
WAIT(pthread_join, pthread_join(endless, NULL))
WAIT(wait, wait(NULL))
WAIT(waitpid, waitpid(child, NULL, 0))
WAIT(waitid, siginfo_t info; waitid(P_PID, (id_t)child, &info, WEXITED))
WAIT(lockf, int fd = open(locked, O_RDWR); lockf(fd, F_LOCK, 1))
WAIT(fcntl, struct flock lock = {.l_type = F_WRLCK}; int fd = open(locked, O_RDWR);
     fcntl(fd, F_SETLKW, &lock))
WAIT(msgrcv, msgrcv(queue, bytes, sizeof(bytes) - sizeof(long), 0, 0))
/* NOLINTEND(bugprone-unused-return-value) */

static const struct way points[] = {
#define POINT(name)                                                                                \
    {                                                                                              \
#name, wait_##name                                                                         \
    }
    POINT(read),
    POINT(readv),
    POINT(write),
    POINT(writev),
    POINT(recv),
    POINT(recvfrom),
    POINT(recvmsg),
    POINT(send),
    POINT(sendto),
    POINT(sendmsg),
    POINT(accept),
    POINT(accept4),
    POINT(connect),
    POINT(open),
    POINT(openat),
    POINT(poll),
    POINT(ppoll),
    POINT(select),
    POINT(pselect),
    POINT(epoll_wait),
    POINT(epoll_pwait),
    POINT(sleep),
    POINT(usleep),
    POINT(nanosleep),
    POINT(clock_nanosleep),
    POINT(pause),
    POINT(sigsuspend),
    POINT(sigwait),
    POINT(sigwaitinfo),
    POINT(sigtimedwait),
    POINT(sem_wait),
    POINT(sem_timedwait),
    POINT(pthread_cond_wait),
    POINT(pthread_cond_timedwait),
    POINT(pthread_join),
    POINT(wait),
    POINT(waitpid),
    POINT(waitid),
    POINT(lockf),
    POINT(fcntl),
    POINT(msgrcv),
};

/* ---- the thread that is cancelled ---- */

struct victim {
    void (*wait)(void);
    void (*after)(void); /* in its cleanup handler */
    bool loop;
    bool asynchronous;
    _Atomic pid_t tid; /* set when it is about to wait */
    int set;
    int cleaned;  /* how often its cleanup handler ran */
    bool unlocks; /* it had the mutex in there */
};

static void clean_up(void *argument)
{
    struct victim *victim = argument;
    victim->cleaned++;
    if (victim->after != NULL)
        victim->after();
    victim->unlocks = pthread_mutex_trylock(&mutex) == EBUSY && pthread_mutex_unlock(&mutex) == 0;
    if (victim->loop)
        close(victim->set);
}

static void *run_victim(void *argument)
{
    struct victim *victim = argument;
    int type;
    pthread_mutex_lock(&mutex); /* what waits for a condition comes back with it */
    if (victim->loop)
        victim->set = begin_loop();
    pthread_cleanup_push(clean_up, victim);
    if (victim->asynchronous)
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    atomic_store(&victim->tid, (pid_t)syscall(SYS_gettid));
    victim->wait();
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &type);
    pthread_cleanup_pop(1);
    return NULL;
}

/* In a system call: proc_pid_syscall(5) has its number and arguments then. */
static void wait_until_asleep(pid_t tid)
{
    char path[64];
    char line[256];
    check(snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid) > 0);
    for (ssize_t length = 0; length <= 0 || line[0] == 'r';) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        length = read(fd, line, sizeof(line));
        close(fd);
        sched_yield();
    }
}

static void cancel(struct victim *victim)
{
    void *result = NULL;
    pthread_t thread;
    check(pthread_create(&thread, NULL, run_victim, victim) == 0);
    while (atomic_load(&victim->tid) == 0)
        sched_yield();
    wait_until_asleep(atomic_load(&victim->tid));
    check(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
    check(result == PTHREAD_CANCELED);
}

static void cancel_in(const struct way *point, bool loop, bool asynchronous)
{
    struct victim victim = {.wait = point->take, .loop = loop, .asynchronous = asynchronous};
    cancel(&victim);
    printf("%s %s %s: cleaned up %d, mutex %s\n", point->name,
           asynchronous ? "asynchronously" : "deferred", loop ? "on a loop" : "elsewhere",
           victim.cleaned, victim.unlocks ? "held" : "lost");
}

static void cancel_in_all(void)
{
    make_things();
    for (size_t i = 0; i < ROWS(points); i++) {
        for (unsigned kind = 0; kind < 4; kind++)
            cancel_in(&points[i], kind & 1, kind & 2);
    }
    remove_things();
}

/* ---- what comes after a cancelled call ---- */

static __thread int victims_set;

static void park_on_own_set(void)
{
    struct epoll_event event;
    victims_set = begin_loop();
    epoll_wait(victims_set, &event, 1, -1);
}

static void read_what_never_comes(void)
{
    victims_set = begin_loop();
    wait_read();
}

static void block_in_cleanup(void)
{
    sleep_ms(BLOCK_MS);
    close(victims_set);
}

static void block_after_cancellation(void)
{
    static void (*const waits[])(void) = {park_on_own_set, read_what_never_comes};
    check(socketpair(AF_UNIX, SOCK_STREAM, 0, empty) == 0);
    for (size_t i = 0; i < ROWS(waits); i++) {
        struct victim victim = {.wait = waits[i], .after = block_in_cleanup};
        cancel(&victim);
        printf("cleaned up %d\n", victim.cleaned);
    }
}

/* ---- in the middle of calls ---- */

static void *call_without_end(void *started)
{
    int set = begin_loop();
    int type;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
    atomic_store((_Atomic bool *)started, true);
    for (;;) {
        turn(set);
        (void)!write(full_pipe[1], bytes, 1);
        (void)!read(full_pipe[0], bytes, 1);
    }
    return NULL;
}

static void cancel_in_storm(void)
{
    check(pipe(full_pipe) == 0);
    for (int i = 0; i < CANCELLED; i++) {
        _Atomic bool started = false;
        void *result = NULL;
        pthread_t thread;
        check(pthread_create(&thread, NULL, call_without_end, &started) == 0);
        while (!atomic_load(&started))
            sched_yield();
        for (int spin = i * 997 % 20000; spin > 0; spin--)
            __asm__ volatile("");
        check(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
        check(result == PTHREAD_CANCELED);
        if (write(full_pipe[1], bytes, 1) == 1)
            check(read(full_pipe[0], bytes, 1) == 1);
    }
    puts("calm");
}

static const struct way ways[] = {
    {"all", cancel_in_all},
    {"cleanup", block_after_cancellation},
    {"storm", cancel_in_storm},
};

int main(int argc, char **argv)
{
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    return take_way(ways, ROWS(ways), argc > 1 ? argv[1] : NULL);
}

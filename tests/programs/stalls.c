/* A loop whose iterations take long in each of the ways that are no single block.
 *
 *   stalls
 * compute|sleeps|mixed|block|allowed|clean|forever|handler|blocked|stopped|held|leave|inline|threads
 *
 * Prints what it truly spent in the iteration: milliseconds of wall time and of CPU time. */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000 * MS + now.tv_nsec;
}

static void sleep_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * MS};
    nanosleep(&time, NULL);
}

static void compute_ms(int ms)
{
    int64_t end = now_ns(CLOCK_THREAD_CPUTIME_ID) + ms * MS;
    volatile double x = 1;
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < end)
        for (int i = 0; i < 20000; i++)
            x = x * 1.0000001 + 1;
}

static void compute(void)
{
    compute_ms(300);
}

static void sleeps(void)
{
    for (int i = 0; i < 60; i++)
        sleep_ms(6);
}

static void mixed(void)
{
    compute_ms(150);
    sleeps();
}

/* One block, and not enough beside it to be a stall. */
static void block(void)
{
    compute_ms(40);
    sleep_ms(300);
}

/* One block, and beside it enough. */
static void block_and_compute(void)
{
    sleep_ms(300);
    compute_ms(200);
}

static void allowed(void)
{
    int (*begin)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "loophound_allow_begin");
    int (*end)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "loophound_allow_end");
    if (begin != NULL)
        begin();
    compute_ms(200);
    sleeps();
    if (end != NULL)
        end();
}

static void clean(void)
{
    compute_ms(10);
    sleep_ms(5);
}

static void forever(void)
{
    for (;;)
        compute_ms(1000);
}

/* Stopped until its parent, which sees that, has it continue. */
static void stopped(void)
{
    raise(SIGSTOP);
}

/* Until it has been held by somebody else for a while, as its clock tells. */
static void held(void)
{
    int64_t last;
    int64_t now = now_ns(CLOCK_MONOTONIC);
    puts("hold me");
    (void)fflush(stdout);
    do {
        last = now;
        now = now_ns(CLOCK_MONOTONIC);
    } while (now - last < 1000 * MS);
}

/* Ends the process from inside the iteration. */
static void leave(void)
{
    compute_ms(300);
    exit(0);
}

/* read(2), as a runtime does that has no use for libc. */
__attribute__((noclone)) static long read_by_hand(int fd, void *buf, size_t size)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(SYS_read), "D"((long)fd), "S"(buf), "d"(size)
                     : "rcx", "r11", "memory");
    return result;
}

static void *write_later(void *fd)
{
    sleep_ms(400);
    if (write(*(int *)fd, "x", 1) != 1)
        abort();
    return NULL;
}

static void wait_by_hand(void)
{
    pthread_t writer;
    char byte = 0;
    int fds[2];
    if (pipe(fds) != 0)
        abort();
    pthread_create(&writer, NULL, write_later, &fds[1]);
    if (read_by_hand(fds[0], &byte, 1) != 1 || byte != 'x')
        abort();
    pthread_join(writer, NULL);
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
    handled += number == SIGURG;
}

/* A program that has a handler of its own for the sampling signal. */
static void handler(void)
{
    signal(SIGURG, on_signal);
    compute_ms(300);
    if (handled != 0)
        exit(3);
}

static void blocked(void)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    compute_ms(300);
    sigset_t waiting;
    sigpending(&waiting);
    if (sigismember(&waiting, SIGURG))
        exit(3);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void turn(int fd, int timeout_ms)
{
    struct epoll_event event;
    epoll_wait(fd, &event, 1, timeout_ms);
}

static const struct {
    const char *name;
    void (*run)(void);
} ways[] = {{"compute", compute}, {"sleeps", sleeps},          {"mixed", mixed},
            {"block", block},     {"both", block_and_compute}, {"allowed", allowed},
            {"clean", clean},     {"forever", forever},        {"handler", handler},
            {"blocked", blocked}, {"stopped", stopped},        {"held", held},
            {"leave", leave},     {"inline", wait_by_hand}};

static void run_loop(void (*way)(void))
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    turn(fd, 0);
    turn(fd, 40);
    int64_t wall = now_ns(CLOCK_MONOTONIC);
    int64_t cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
    way();
    cpu = now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu;
    wall = now_ns(CLOCK_MONOTONIC) - wall;
    turn(fd, 10);
    turn(fd, 0);
    printf("%.3f %.3f\n", (double)wall / MS, (double)cpu / MS);
    close(fd);
}

static void *thread_main(void *argument)
{
    (void)argument;
    run_loop(compute);
    return NULL;
}

/* Two loops that compute at the same time. */
static int threads(void)
{
    pthread_t other;
    pthread_create(&other, NULL, thread_main, NULL);
    run_loop(compute);
    pthread_join(other, NULL);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "threads") == 0)
        return threads();
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(name, ways[i].name) == 0) {
            run_loop(ways[i].run);
            return 0;
        }
    return 2;
}

/* What makes a loop thread, and what ends it: sleeps in functions that say when they are made.
 *
 *   loops epoll     a loop found by its first epoll_wait, until its epoll set is closed
 *   loops thrice    a loop that sleeps three times
 *   loops threads   two loop threads, named io-1 and other; then both end
 *   loops poll      a main thread that waits in poll() only
 *   loops vfork     a loop whose child of vfork closes its copy of the epoll set
 *   loops shared    two threads at one epoll set, of which one waits for a condition meanwhile
 *   loops syscall   a loop that parks by syscall(2), the second time for longer than it sleeps
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int not_the_last_call;

static void wait_40_ms(void)
{
    const struct timespec time = {0, 40 * 1000000L};
    nanosleep(&time, NULL);
}

#define SLEEPER(name)                                                                              \
    static void name(void)                                                                         \
    {                                                                                              \
        wait_40_ms();                                                                              \
        not_the_last_call = __COUNTER__; /* differs */                                             \
    }

SLEEPER(before_first_park)
SLEEPER(on_loop)
SLEEPER(after_close)
SLEEPER(on_second_loop)
SLEEPER(on_io_1)
SLEEPER(on_other)
SLEEPER(in_main)

static pthread_barrier_t meeting;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

static void condition_for_40_ms(void)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += 40 * 1000000L;
    deadline.tv_sec += deadline.tv_nsec / 1000000000L;
    deadline.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&mutex);
    while (pthread_cond_timedwait(&never, &mutex, &deadline) == 0)
        continue;
    pthread_mutex_unlock(&mutex);
}

static void in_a_handler(void)
{
    volatile unsigned char stack_of_a_handler[1024];
    stack_of_a_handler[0] = 0;
    condition_for_40_ms();
    not_the_last_call = stack_of_a_handler[0];
}

static int park(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 0);
    return set;
}

static void park_by_a_scheduler(int set)
{
    volatile unsigned char stack_of_a_scheduler[512];
    struct epoll_event event;
    stack_of_a_scheduler[0] = 0;
    epoll_wait(set, &event, 1, 0);
    not_the_last_call = stack_of_a_scheduler[0];
}

static void *other_scheduler(void *set)
{
    park_by_a_scheduler(*(int *)set);
    pthread_barrier_wait(&meeting);
    pthread_barrier_wait(&meeting);
    return NULL;
}

/* A thread that waits for a condition is blocked while it is alone at its epoll set; while another
 * one is there too, only if it does so in a handler. */
static int shared(void)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    pthread_t thread;
    park_by_a_scheduler(set);
    condition_for_40_ms();
    pthread_barrier_init(&meeting, NULL, 2);
    pthread_create(&thread, NULL, other_scheduler, &set);
    pthread_barrier_wait(&meeting);
    condition_for_40_ms();
    in_a_handler();
    pthread_barrier_wait(&meeting);
    pthread_join(thread, NULL);
    return 0;
}

static int epoll(void)
{
    before_first_park();
    int set = park();
    on_loop();
    close(set);
    after_close();
    set = park();
    on_second_loop();
    close(set);
    return 0;
}

static int by_syscall(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    before_first_park();
    syscall(SYS_epoll_pwait, set, &event, 1, 0, NULL, 8);
    on_loop();
    syscall(SYS_epoll_pwait, set, &event, 1, 60, NULL, 8);
    close(set);
    after_close();
    return 0;
}

static int thrice(void)
{
    int set = park();
    for (int i = 0; i < 3; i++)
        on_loop();
    return close(set);
}

static void *io_1(void *unused)
{
    pthread_setname_np(pthread_self(), "io-1");
    int set = park();
    on_io_1();
    close(set);
    return unused;
}

static void *other(void *unused)
{
    pthread_setname_np(pthread_self(), "other");
    int set = park();
    on_other();
    close(set);
    return unused;
}

static int threads(void)
{
    pthread_t both[2];
    pthread_create(&both[0], NULL, io_1, NULL);
    pthread_create(&both[1], NULL, other, NULL);
    pthread_join(both[0], NULL);
    pthread_join(both[1], NULL);
    return 0;
}

static int vfork_closes(void)
{
    int set = park();
    pid_t child = vfork(); /* NOLINT: what runtimes do is what is tested */
    if (child == 0) {
        close(set); /* NOLINT */
        _exit(0);
    }
    on_loop();
    return close(set);
}

static int poll_only(void)
{
    poll(NULL, 0, 1);
    in_main();
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    static const struct {
        const char *name;
        int (*run)(void);
    } scenarios[] = {{"epoll", epoll},    {"thrice", thrice},      {"threads", threads},
                     {"poll", poll_only}, {"vfork", vfork_closes}, {"syscall", by_syscall},
                     {"shared", shared}};
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(what, scenarios[i].name) == 0)
            return scenarios[i].run();
    return 2;
}

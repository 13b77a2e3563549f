/* What makes a loop thread, and what ends it: sleeps in functions that say when they are made.
 *
 *   loops epoll     a loop found by its first epoll_wait, until its epoll set is closed
 *   loops thrice    a loop that sleeps three times
 *   loops threads   two loop threads, named io-1 and other; then both end
 *   loops poll      a main thread that waits in poll() only
 *   loops vfork     a loop whose child of vfork closes its copy of the epoll set
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

static int park(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 0);
    return set;
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
                     {"poll", poll_only}, {"vfork", vfork_closes}, {"syscall", by_syscall}};
    for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
        if (strcmp(what, scenarios[i].name) == 0)
            return scenarios[i].run();
    return 2;
}

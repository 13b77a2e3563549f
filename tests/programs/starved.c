/* SPDX-License-Identifier: Apache-2.0 */
/* A loop whose calls take long because others have its processor, not because they wait.
 *
 *   starved nonblocking|dontwait|blocking|passed THRESHOLD_MS
 *
 * Goes on until a few calls took THRESHOLD_MS at least, and prints how many that were. `blocking`
 * could wait for all that anybody knows: the socket is without O_NONBLOCK. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "small_loop.h"

#define RIVALS    4
#define SLOW      3  /* calls that are to take long, if that ever happens … */
#define LIMIT_S   40 /* … in this time */
#define CALLS     50 /* in one turn */
#define NS_PER_MS 1000000LL

static int pair[2];
static int flags;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

static void make_pair(int type)
{
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | type, 0, pair) == 0);
}

static void send_a_little(void)
{
    static char bytes[2000];
    check(send(pair[0], bytes, sizeof(bytes), flags) == (ssize_t)sizeof(bytes));
}

static void take_it(void)
{
    static char bytes[2000];
    check(recv(pair[1], bytes, sizeof(bytes), MSG_WAITALL | flags) > 0);
}

static void sleep_until_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    check(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL) == 0);
}

static void nothing(void)
{
}

static void (*call)(void) = send_a_little;
static void (*undo)(void) = take_it;

static void nonblocking(void)
{
    make_pair(SOCK_NONBLOCK);
}

static void dontwait(void)
{
    make_pair(0);
    flags = MSG_DONTWAIT;
}

static void blocking(void)
{
    make_pair(0);
}

static void passed(void)
{
    call = sleep_until_now;
    undo = nothing;
}

static void share_one_processor(void)
{
    cpu_set_t all;
    cpu_set_t one;
    int cpu = 0;
    check(sched_getaffinity(0, sizeof(all), &all) == 0);
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    check(sched_setaffinity(0, sizeof(one), &one) == 0);
}

/* They end with this process. */
static void start_rivals(void)
{
    for (int i = 0; i < RIVALS; i++) {
        pid_t pid = fork();
        check(pid >= 0);
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                continue;
        }
    }
}

static int run(int64_t threshold_ns)
{
    int slow = 0;
    int set = begin_loop();
    int64_t end_ns = now_ns() + LIMIT_S * 1000 * NS_PER_MS;
    while (slow < SLOW && now_ns() < end_ns) {
        for (int i = 0; i < CALLS; i++) {
            int64_t begin_ns = now_ns();
            call();
            slow += now_ns() - begin_ns >= threshold_ns;
            undo();
        }
        turn(set);
    }
    return slow;
}

int main(int argc, char **argv)
{
    static const struct way ways[] = {{"nonblocking", nonblocking},
                                      {"dontwait", dontwait},
                                      {"blocking", blocking},
                                      {"passed", passed}};
    check(argc == 3 && take_way(ways, ROWS(ways), argv[1]) == 0);
    share_one_processor();
    start_rivals();
    printf("%d\n", run(atoi(argv[2]) * NS_PER_MS));
    return 0;
}

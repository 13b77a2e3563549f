/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that sleeps until a point in time that has passed when the call is made: it was held up in
 * between, as by a busy machine.
 *
 *   deadlines ahead|passed
 *
 * ahead: when it looked at the clock that point was still to come; passed: it was not. */
#include <sys/syscall.h>
#include <unistd.h>

#include "small_loop.h"

#define MS 1000000LL

/* Past libc, where the library sees what is read. */
static long long raw_now_ns(void)
{
    struct timespec now;
    check(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now) == 0);
    return now.tv_sec * 1000 * MS + now.tv_nsec;
}

static void sleep_late(long long asked_ns)
{
    struct timespec until;
    check(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    long long until_ns = until.tv_sec * 1000 * MS + until.tv_nsec + asked_ns;
    until = (struct timespec){until_ns / (1000 * MS), until_ns % (1000 * MS)};
    while (raw_now_ns() <= until_ns + MS)
        continue;
    check(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0);
}

static void ahead(void)
{
    sleep_late(2 * MS);
}

static void passed(void)
{
    sleep_late(0);
}

int main(int argc, char **argv)
{
    static const struct way ways[] = {{"ahead", ahead}, {"passed", passed}};
    int set = begin_loop();
    int error = take_way(ways, ROWS(ways), argc == 2 ? argv[1] : NULL);
    turn(set);
    return error;
}

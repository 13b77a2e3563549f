/* SPDX-License-Identifier: Apache-2.0 */
// A loop that throws and catches C++ exceptions for 300 ms of CPU time: an unwinder that is
// interrupted all the time. For `host`, which calls host_main(); prints wall and CPU time in ms and
// how many were thrown. Ends with status 3 when one of them went astray.
#include <cstdio>
#include <ctime>
#include <sys/epoll.h>
#include <unistd.h>

namespace
{
volatile unsigned cleaned;

struct Guard {
    ~Guard()
    {
        cleaned = cleaned + 1;
    }
};

double now_ms(clockid_t clock)
{
    timespec now;
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

__attribute__((noinline)) void throw_from(unsigned depth, unsigned value)
{
    Guard guard;
    if (depth == 0)
        throw value;
    throw_from(depth - 1, value);
}

__attribute__((noinline)) bool catch_one(unsigned value)
{
    const unsigned depth = 1 + value % 16;
    const unsigned before = cleaned;
    try {
        throw_from(depth, value);
    } catch (const unsigned &caught) {
        return caught == value && cleaned - before == depth + 1;
    }
    return false;
}
} // namespace

extern "C" int host_main()
{
    epoll_event event;
    const int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 40);
    const double wall_ms = now_ms(CLOCK_MONOTONIC);
    const double cpu_ms = now_ms(CLOCK_THREAD_CPUTIME_ID);
    unsigned thrown = 0;
    while (now_ms(CLOCK_THREAD_CPUTIME_ID) < cpu_ms + 300)
        if (!catch_one(thrown++))
            return 3;
    std::printf("%.3f %.3f %u\n", now_ms(CLOCK_MONOTONIC) - wall_ms,
                now_ms(CLOCK_THREAD_CPUTIME_ID) - cpu_ms, thrown);
    std::fflush(stdout);
    epoll_wait(set, &event, 1, 10);
    close(set);
    return 0;
}

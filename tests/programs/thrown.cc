/* SPDX-License-Identifier: Apache-2.0 */
// A loop on which C++ exceptions and a cancellation leave calls. For `host`, which calls
// host_main(); prints what was caught and how many destructors ran. After each it blocks for 150
// ms, further in on the stack than the call that was left.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

namespace
{
int destroyed;
std::atomic<bool> can_be_cancelled;

struct Guard {
    ~Guard()
    {
        destroyed++;
    }
};

// NOLINTNEXTLINE(misc-no-recursion)
__attribute__((noinline)) void block_further_in(volatile int depth)
{
    const timespec time = {0, 150 * 1000000};
    if (depth > 0)
        block_further_in(depth - 1);
    else
        nanosleep(&time, nullptr);
    depth = 0;
}

int throw_in_callback(const dirent *)
{
    Guard guard;
    throw destroyed;
}

int compare_and_throw(const void *, const void *)
{
    Guard guard;
    usleep(0);
    throw destroyed;
}

__attribute__((noinline)) void leave_scandir()
{
    Guard guard;
    dirent **found = nullptr;
    scandir("/", &found, throw_in_callback, nullptr);
}

__attribute__((noinline)) void leave_qsort()
{
    Guard guard;
    int numbers[] = {2, 1};
    qsort(numbers, 2, sizeof(numbers[0]), compare_and_throw);
}

int begin_loop()
{
    epoll_event event;
    const int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 0);
    return set;
}

void catch_from(const char *name, void (*leave)(), int set)
{
    epoll_event event;
    try {
        leave();
    } catch (int before) {
        std::printf("%s threw, %d destroyed\n", name, destroyed - before);
    }
    block_further_in(8);
    epoll_wait(set, &event, 1, 0);
}

// Cancellation unwinds C++ frames too, and may be caught, if it is thrown on.
void *be_cancelled(void *)
{
    const int set = begin_loop();
    try {
        Guard guard;
        can_be_cancelled = true;
        for (;;)
            usleep(1000 * 1000);
    } catch (...) {
        block_further_in(8);
        close(set);
        throw;
    }
}
} // namespace

extern "C" int host_main()
{
    void *result = nullptr;
    pthread_t thread;
    const int set = begin_loop();
    catch_from("scandir", leave_scandir, set);
    catch_from("qsort", leave_qsort, set);
    if (pthread_create(&thread, nullptr, be_cancelled, nullptr) != 0)
        return 3;
    while (!can_be_cancelled)
        sched_yield();
    pthread_cancel(thread);
    pthread_join(thread, &result);
    std::printf("%s, %d destroyed\n", result == PTHREAD_CANCELED ? "cancelled" : "lost", destroyed);
    std::fflush(stdout);
    close(set);
    return 0;
}

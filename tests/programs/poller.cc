/* SPDX-License-Identifier: Apache-2.0 */
// A library that runs a loop in C: it parks, waits by itself for 200 ms, and calls back, if it is
// told what. See python/poller.py.
#include <ctime>
#include <pthread.h>
#include <sys/epoll.h>
#include <thread>
#include <unistd.h>

namespace
{
void own_wait()
{
    const timespec time = {0, 200 * 1000000};
    nanosleep(&time, nullptr);
}
} // namespace

extern "C" void run_loop(void (*handler)())
{
    const int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event;
    for (int turn = 0; turn < 2; turn++) {
        epoll_wait(set, &event, 1, 0);
        own_wait();
        if (handler != nullptr)
            handler();
    }
    epoll_wait(set, &event, 1, 0); // and stays open
}

extern "C" void run_loop_in_thread(void (*handler)())
{
    std::thread([handler] {
        pthread_setname_np(pthread_self(), "poller");
        run_loop(handler);
    }).join();
}

// SPDX-License-Identifier: Apache-2.0
// Two mistakes in two handlers of a loop, each in a template of the standard library. Built by
// tests/e2e/test_places.py, with lines and without.
#include <chrono>
#include <sys/epoll.h>
#include <thread>

namespace shop
{

__attribute__((noinline)) void send_mail()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    __asm__ volatile("");
}

__attribute__((noinline)) void resize_image()
{
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    __asm__ volatile("");
}

} // namespace shop

int main()
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        epoll_wait(set, &event, 1, 1);
        shop::send_mail();
        epoll_wait(set, &event, 1, 1);
        shop::resize_image();
    }
    epoll_wait(set, &event, 1, 1);
}

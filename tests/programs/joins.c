/* SPDX-License-Identifier: Apache-2.0 */
/* A loop thread that joins a thread named "resizer", which takes 300 ms. */
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

static void *resize(void *unused)
{
    pthread_setname_np(pthread_self(), "resizer");
    usleep(300000);
    return unused;
}

int main(void)
{
    struct epoll_event event;
    pthread_t thread;
    int set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, 1);
    if (pthread_create(&thread, NULL, resize, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 1;
    epoll_wait(set, &event, 1, 1);
    return 0;
}

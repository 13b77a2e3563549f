/* SPDX-License-Identifier: Apache-2.0 */
/* A loop with one block of 60 ms and, if asked, one mistake that a sanitizer reports. */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

static int shared;

static void park(int epoll_fd)
{
    struct epoll_event event;
    epoll_wait(epoll_fd, &event, 1, 1);
}

static void use_after_free(void)
{
    char *volatile memory = malloc(10);
    free(memory);
    memory[3] = 'x'; /* NOLINT(clang-analyzer-unix.Malloc): what ASan is to find */
}

static void overflow(void)
{
    volatile int number = INT_MAX;
    number = number + 1;
}

static void *write_shared(void *unused)
{
    shared++;
    return unused;
}

static void race(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_shared, NULL) != 0)
        return;
    shared++;
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*make)(void);
    } mistakes[] = {{"address", use_after_free}, {"undefined", overflow}, {"thread", race}};
    const struct timespec block = {0, 60000000};
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    park(epoll_fd);
    nanosleep(&block, NULL);
    park(epoll_fd);
    for (size_t i = 0; argc > 1 && i < sizeof(mistakes) / sizeof(mistakes[0]); i++)
        if (strcmp(argv[1], mistakes[i].name) == 0)
            mistakes[i].make();
    puts("done");
    return 5;
}

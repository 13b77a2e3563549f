/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that allocate, hand over and free, and forks meanwhile, beside a loop with one block of
 * 60 ms. Prints a sum over what was in the memory, which is the same at each run. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS  20000
#define SHELVES 64
#define FORKS   5

static _Atomic(unsigned char *) shelves[SHELVES]; /* memory that some other thread frees */
static _Atomic uint64_t sum;

static void give_back(unsigned char *memory)
{
    if (memory == NULL)
        return;
    atomic_fetch_add(&sum, memory[0]);
    free(memory);
}

static void *allocate(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    for (unsigned round = 0; round < ROUNDS; round++) {
        seed = seed * 1103515245 + 12345;
        size_t size = 1 + (seed >> 8) % (round % 100 == 0 ? 200000 : 500);
        unsigned char *memory = round % 3 == 0 ? calloc(size, 1) : malloc(size);
        unsigned char *grown = realloc(memory, size + round % 7);
        if (grown == NULL) {
            free(memory);
            return NULL;
        }
        memset(grown, (int)(round % 251), size);
        give_back(atomic_exchange(&shelves[seed % SHELVES], grown));
    }
    return NULL;
}

/* A child of fork has to find the allocator in order. */
static int fork_once(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        char *memory = malloc(1000);
        free(memory);
        _exit(memory != NULL ? 3 : 4);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void block_once(void)
{
    const struct timespec block = {0, 60000000};
    struct epoll_event event;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(epoll_fd, &event, 1, 1);
    nanosleep(&block, NULL);
    epoll_wait(epoll_fd, &event, 1, 1);
    close(epoll_fd);
}

int main(void)
{
    pthread_t threads[THREADS];
    int children = 0;
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, allocate, (void *)(i + 1));
    for (int i = 0; i < FORKS; i++)
        children += fork_once() == 3;
    block_once();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SHELVES; i++)
        give_back(atomic_load(&shelves[i]));
    printf("sum %llu, %d children\n", (unsigned long long)sum, children);
    return 0;
}

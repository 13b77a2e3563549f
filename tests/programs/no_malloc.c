/* SPDX-License-Identifier: Apache-2.0 */
/* A loop in a program whose malloc knows who calls it: no_malloc FIFO
 *
 * The loop thread blocks in libc calls of several kinds and computes for a while, all of which is
 * reported; nothing of it allocates by itself. So an allocation on that thread meanwhile, or one
 * made by the library's code on any thread, is the library's. At the end it prints how many there
 * were, and how many in all: some, or the malloc that counts is not the one that is called. */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "loophound.h"

#define ARENA_BYTES (16u << 20)
#define BLOCK_MS    60

/* Nothing is given back: this program allocates little. */
static _Alignas(16) char arena[ARENA_BYTES];
static _Atomic size_t arena_used;

/* Where the library's code is. */
static uintptr_t library_begin, library_end;

/* Between two parks. On the watchdog, which is no thread of libc's, this is memory of its own. */
static __thread bool in_iteration;

static _Atomic unsigned total, ours;

static void count(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    atomic_fetch_add(&total, 1);
    if (in_iteration || (at >= library_begin && at < library_end))
        atomic_fetch_add(&ours, 1);
}

static void *take(size_t bytes, size_t alignment)
{
    size_t room = bytes + alignment + sizeof(size_t);
    size_t at = atomic_fetch_add(&arena_used, (room + 15) & ~(size_t)15);
    if (at + room > ARENA_BYTES)
        abort();
    uintptr_t start = ((uintptr_t)arena + at + sizeof(size_t) + alignment - 1) & ~(alignment - 1);
    memcpy((char *)start - sizeof(size_t), &bytes, sizeof(bytes));
    return (void *)start;
}

void *malloc(size_t bytes)
{
    count(__builtin_return_address(0));
    return take(bytes, 16);
}

void *calloc(size_t items, size_t bytes)
{
    count(__builtin_return_address(0));
    return take(items * bytes, 16); /* never used before, so it is zero */
}

void *realloc(void *old, size_t bytes)
{
    size_t size = 0;
    count(__builtin_return_address(0));
    void *new = take(bytes, 16);
    if (old != NULL)
        memcpy(&size, (char *)old - sizeof(size_t), sizeof(size));
    if (size > 0)
        memcpy(new, old, size < bytes ? size : bytes);
    return new;
}

void free(void *memory)
{
    if (memory != NULL)
        count(__builtin_return_address(0));
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    count(__builtin_return_address(0));
    return take(bytes, alignment);
}

void *memalign(size_t alignment, size_t bytes);
void *memalign(size_t alignment, size_t bytes)
{
    count(__builtin_return_address(0));
    return take(bytes, alignment);
}

int posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    count(__builtin_return_address(0));
    *memory = take(bytes, alignment);
    return 0;
}

/* ---- what is reported ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int ends[2];
static const char *fifo;

static void pause_ms(int ms)
{
    const struct timespec time = {0, ms * 1000000L};
    nanosleep(&time, NULL);
}

static void sleep_in_call(void)
{
    pause_ms(BLOCK_MS);
}

static void wait_for_bytes(void)
{
    char byte;
    if (read(ends[0], &byte, 1) != 1)
        abort();
}

static void wait_for_mutex(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

static void wait_for_path(void)
{
    int fd = open(fifo, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        abort();
    close(fd);
}

static void compute(void)
{
    struct timespec now;
    volatile double x = 1;
    long until_ms = 0;
    do {
        for (int i = 0; i < 20000; i++)
            x = x * 1.0000001 + 1;
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        long ms = now.tv_sec * 1000 + now.tv_nsec / 1000000;
        until_ms = until_ms == 0 ? ms + 3 * BLOCK_MS : until_ms;
        if (ms >= until_ms)
            return;
    } while (true);
}

static void (*const iterations[])(void) = {sleep_in_call, wait_for_bytes, wait_for_mutex,
                                           wait_for_path, compute};
#define ITERATIONS (sizeof(iterations) / sizeof(iterations[0]))

/* Ends each wait after a while: by a byte, by the mutex, as the writer of the FIFO. */
static _Atomic unsigned current;

static void wait_for_iteration(unsigned number)
{
    while (atomic_load(&current) < number)
        pause_ms(1);
    pause_ms(BLOCK_MS);
}

static void *help(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    wait_for_iteration(1);
    if (write(ends[1], "x", 1) != 1)
        abort();
    wait_for_iteration(2);
    pthread_mutex_unlock(&mutex);
    wait_for_iteration(3);
    close(open(fifo, O_WRONLY | O_CLOEXEC));
    return NULL;
}

static void turn(int set)
{
    struct epoll_event event;
    epoll_wait(set, &event, 1, 20);
}

static int find_library(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size;
    (void)unused;
    if (strstr(info->dlpi_name, "libloophound") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || (header->p_flags & PF_X) == 0)
            continue;
        library_begin = info->dlpi_addr + header->p_vaddr;
        library_end = library_begin + header->p_memsz;
    }
    return 1;
}

int main(int argc, char **argv)
{
    pthread_t helper;
    fifo = argc > 1 ? argv[1] : "";
    if (dl_iterate_phdr(find_library, NULL) == 0 || pipe2(ends, O_CLOEXEC) != 0)
        return 2;
    int set = epoll_create1(EPOLL_CLOEXEC);
    pthread_create(&helper, NULL, help, NULL);
    turn(set);
    for (unsigned i = 0; i < ITERATIONS; i++) {
        atomic_store(&current, i);
        in_iteration = true;
        iterations[i]();
        turn(set); /* its end is told here, too */
        in_iteration = false;
    }
    loophound_flush();
    close(set);
    pthread_join(helper, NULL);
    printf("%u of %u\n", atomic_load(&ours), atomic_load(&total));
    return 0;
}

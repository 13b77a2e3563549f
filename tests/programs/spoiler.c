/* SPDX-License-Identifier: Apache-2.0 */
/* Writes rubbish into the ring of the library that it runs under, from a thread of its own, while
 * its loop blocks again and again: spoiler cells|counters|totals|all SEED. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "common/ring.h"
#include "loophound.h"
#include "processor.h"

#define BLOCKS  600
#define FLUSHED 16 /* blocks that are sure to be read before the next */
#define RUN_MAX 64 /* bytes that are spoilt at once */

static struct lh_ring *ring;
static atomic_bool stop;

static struct lh_ring *find_ring(void)
{
    char line[512];
    void *found = NULL;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps != NULL && found == NULL && fgets(line, sizeof(line), maps) != NULL)
        if (strstr(line, "memfd:loophound") != NULL)
            sscanf(line, "%p", &found);
    if (maps != NULL)
        fclose(maps);
    return found;
}

static unsigned below(unsigned *seed, size_t most)
{
    return (unsigned)rand_r(seed) % (unsigned)most;
}

static void spoil(unsigned *seed, void *start, size_t size)
{
    unsigned char *at = (unsigned char *)start + below(seed, size);
    size_t left = (size_t)((unsigned char *)start + size - at);
    size_t length = 1 + below(seed, left < RUN_MAX ? left : RUN_MAX);
    int kind = (int)below(seed, 3);
    for (size_t i = 0; i < length; i++)
        at[i] = (unsigned char)(kind == 0 ? 0 : kind == 1 ? 0xff : rand_r(seed));
}

/* What is told of an event, while it is written and while it waits; whose it is stays true, so that
 * it is read. The room that is free is taken from its begin. */
static void spoil_cells(unsigned *seed)
{
    size_t first = offsetof(struct lh_record, type);
    size_t last = below(seed, 4) == 0 ? offsetof(struct lh_record, stack)
                                      : offsetof(struct lh_record, python);
    spoil(seed, ring->records + first, last - first);
}

static void spoil_counters(unsigned *seed)
{
    size_t first = offsetof(struct lh_ring, head);
    if (below(seed, 2) == 0)
        spoil(seed, (unsigned char *)ring + first, offsetof(struct lh_ring, totals) - first);
    else
        spoil(seed, ring->cells, sizeof(ring->cells) + sizeof(ring->room));
}

static void spoil_totals(unsigned *seed)
{
    spoil(seed, &ring->totals, sizeof(ring->totals));
}

static void spoil_all(unsigned *seed)
{
    spoil(seed, ring, sizeof(*ring));
}

static const struct way {
    const char *name;
    void (*spoil)(unsigned *seed);
    bool keeps_count; /* what has been read is still known */
} ways[] = {
    {"cells", spoil_cells, true},
    {"counters", spoil_counters, false},
    {"totals", spoil_totals, true},
    {"all", spoil_all, false},
};

static struct {
    const struct way *way;
    unsigned seed;
} task;

static void *go_on_spoiling(void *unused)
{
    while (!atomic_load(&stop)) {
        task.way->spoil(&task.seed);
        for (unsigned pause = below(&task.seed, 300); pause > 0; pause--)
            spin_hint();
    }
    return unused;
}

static void block_and_park(int epoll_fd)
{
    const struct timespec moment = {0, 1000};
    struct epoll_event event;
    nanosleep(&moment, NULL);
    epoll_wait(epoll_fd, &event, 1, 0);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; argc == 3 && i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            task.way = &ways[i];
    block_and_park(epoll_fd);
    ring = find_ring();
    if (task.way == NULL || ring == NULL)
        return 2;
    task.seed = (unsigned)atoi(argv[2]);
    block_and_park(epoll_fd);
    if (pthread_create(&thread, NULL, go_on_spoiling, NULL) != 0)
        return 3;
    for (int i = 0; i < BLOCKS; i++) {
        block_and_park(epoll_fd);
        if (i % FLUSHED == 0 && task.way->keeps_count)
            loophound_flush();
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    puts("end");
    return 0;
}

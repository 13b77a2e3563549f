/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of what a program sent. Runs on the collector's driving thread; nothing here waits. */
#include "collect/link/ring_map.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CLAIM_TRIES  4
#define HEADER_BYTES offsetof(struct lh_ring, cells)

int lh_ring_map(struct lh_ring **ring, int fd)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
        return -EPERM;
    if (fstat(fd, &status) != 0 || status.st_size != (off_t)sizeof(struct lh_ring))
        return -EPROTO;
    struct lh_ring *mapped = mmap(NULL, sizeof(*mapped), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED)
        return -errno;
    /* Of another table of calls, its numbers mean other calls. */
    if (mapped->magic != LH_RING_MAGIC || mapped->bytes != sizeof(*mapped) ||
        mapped->call_count != lh_call_count()) {
        lh_ring_unmap(mapped);
        return -EPROTO;
    }
    *ring = mapped;
    return 0;
}

/* The word may change at any time, but that is tried a few times only. */
int lh_ring_claim(struct lh_ring *ring)
{
    uint32_t reader = atomic_load(&ring->reader);
    for (int i = 0; i < CLAIM_TRIES && reader != LH_READER_IS_PROGRAM; i++)
        if (atomic_compare_exchange_strong(&ring->reader, &reader, (uint32_t)syscall(SYS_gettid)))
            return 0;
    return -EBUSY;
}

void lh_ring_unmap(struct lh_ring *ring)
{
    munmap(ring, sizeof(*ring));
}

static bool ends(const char *string, size_t size)
{
    return memchr(string, '\0', size) != NULL;
}

static bool options_are_sound(const struct lh_options *options)
{
    return options->stack_frames <= LH_STACK_FRAMES_MAX && options->format <= LH_FORMAT_JSON &&
           options->output_kind <= LH_OUTPUT_UNIX &&
           ends(options->output, sizeof(options->output)) &&
           ends(options->project, sizeof(options->project)) &&
           ends(options->service, sizeof(options->service)) &&
           ends(options->suppress, sizeof(options->suppress)) &&
           ends(options->allow, sizeof(options->allow)) &&
           ends(options->baseline, sizeof(options->baseline));
}

static bool header_is_sound(const struct lh_ring *header)
{
    return ends(header->exe, sizeof(header->exe)) && ends(header->cwd, sizeof(header->cwd)) &&
           ends(header->warnings, sizeof(header->warnings)) && options_are_sound(&header->options);
}

int lh_ring_map_header(struct lh_ring **header, const struct lh_ring *ring)
{
    struct lh_ring *copy =
        mmap(NULL, HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (copy == MAP_FAILED)
        return -errno;
    copy->bytes = sizeof(*copy);
    copy->pid = ring->pid;
    copy->call_count = lh_call_count();
    copy->started_ns = ring->started_ns;
    memcpy(&copy->options, &ring->options, sizeof(copy->options));
    memcpy(copy->exe, ring->exe, sizeof(copy->exe));
    memcpy(copy->cwd, ring->cwd, sizeof(copy->cwd));
    memcpy(copy->argv, ring->argv, sizeof(copy->argv));
    copy->argv_length = ring->argv_length;
    memcpy(copy->python, ring->python, sizeof(copy->python));
    memcpy(copy->warnings, ring->warnings, sizeof(copy->warnings));
    copy->magic = LH_RING_MAGIC;
    if (header_is_sound(copy)) {
        *header = copy;
        return 0;
    }
    lh_ring_unmap_header(copy);
    return -EPROTO;
}

void lh_ring_unmap_header(struct lh_ring *header)
{
    munmap(header, HEADER_BYTES);
}

void lh_copy_totals(struct lh_totals *to, const struct lh_totals *from)
{
    atomic_store(&to->loops, atomic_load(&from->loops));
    atomic_store(&to->blocks, atomic_load(&from->blocks));
    atomic_store(&to->stalls, atomic_load(&from->stalls));
    atomic_store(&to->stalled_ns, atomic_load(&from->stalled_ns));
    atomic_store(&to->dropped, atomic_load(&from->dropped));
    atomic_store(&to->blocked_ns, atomic_load(&from->blocked_ns));
    for (uint32_t noise = 0; noise < LH_NOISE_COUNT; noise++)
        atomic_store(&to->quiet[noise], atomic_load(&from->quiet[noise]));
    for (uint32_t call = 0; call < LH_CALLS_MAX; call++) {
        atomic_store(&to->by_call[call].count, atomic_load(&from->by_call[call].count));
        atomic_store(&to->by_call[call].total_ns, atomic_load(&from->by_call[call].total_ns));
    }
}

/* Reading any other descriptor could wait, or be somebody else's file. */
int lh_ring_map_check_maps(int fd)
{
    static const char ending[] = "/maps";
    char link[64];
    char name[128];
    struct statfs system;
    if (fstatfs(fd, &system) != 0 || system.f_type != PROC_SUPER_MAGIC)
        return -EINVAL;
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, name, sizeof(name));
    size_t end = sizeof(ending) - 1;
    if (length < (ssize_t)end || memcmp(name + length - end, ending, end) != 0)
        return -EINVAL;
    return 0;
}

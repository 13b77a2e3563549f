/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of a wait, and which of them only a loop would wait for. Runs on the program's
 * threads, a few times per call site; see anchor.h. */
#include "preload/loop/anchor.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "preload/loop/origin.h"
#include "preload/state/waiting.h"
#include "preload/sys/fd.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"

#define READ_MAX     64  /* descriptors looked at; loops watch their anchors from the start */
#define PARTNERS_MAX 128 /* other ends of pipes are looked for below this number */
#define BATCH        32  /* pollfds copied at a time */

typedef unsigned long set_word;
#define WORD_BITS (8 * sizeof(set_word))

static const char eventfd[] = "anon_inode:[eventfd]";

/* What a wait waits for. */
struct watched {
    int reads[READ_MAX];
    uint32_t read_count;
    int first;
    bool several; /* two different descriptors or more, to be read or not */
};

static void note(void *to, int fd, bool reads)
{
    struct watched *watched = to;
    if (watched->first < 0)
        watched->first = fd;
    watched->several = watched->several || fd != watched->first;
    if (reads && watched->read_count < READ_MAX)
        watched->reads[watched->read_count++] = fd;
}

static void read_wait(struct watched *watched, const struct lh_poll_wait *wait)
{
    watched->read_count = 0;
    watched->first = -1;
    watched->several = false;
    lh_waiting_each(wait, note, watched);
}

static bool stat_of(int fd, struct stat *status)
{
    return lh_syscall2(SYS_fstat, fd, (long)status) == 0;
}

static bool is_listening(int fd)
{
    int listens = 0;
    socklen_t length = sizeof(listens);
    return lh_syscall5(SYS_getsockopt, fd, SOL_SOCKET, SO_ACCEPTCONN, (long)&listens,
                       (long)&length) == 0 &&
           listens != 0;
}

static bool is_made_by_us(int fd)
{
    struct ucred maker = {0};
    socklen_t length = sizeof(maker);
    return lh_syscall5(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, (long)&maker, (long)&length) ==
               0 &&
           maker.pid == lh_syscall0(SYS_getpid);
}

static bool is_writable_end(int fd)
{
    long flags = lh_syscall2(SYS_fcntl, fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

/* The ends of a pipe are one inode; those of a socket pair have numbers next to each other, as
 * socketpair(2) makes one right after the other. */
static bool are_two_ends(const struct stat *one, const struct stat *other, int other_fd)
{
    if (one->st_dev != other->st_dev || (one->st_mode & S_IFMT) != (other->st_mode & S_IFMT))
        return false;
    if (S_ISFIFO(one->st_mode))
        return one->st_ino == other->st_ino && is_writable_end(other_fd);
    return one->st_ino + 1 == other->st_ino || one->st_ino == other->st_ino + 1;
}

static bool has_both_ends_here(int fd, const struct stat *status)
{
    if (S_ISSOCK(status->st_mode) && !is_made_by_us(fd))
        return false;
    for (int other = 0; other < PARTNERS_MAX; other++) {
        struct stat partner = {0};
        if (other != fd && stat_of(other, &partner) && are_two_ends(status, &partner, other))
            return true;
    }
    return false;
}

static bool is_wakeup(int fd)
{
    static const char *const kinds[] = {eventfd, "anon_inode:[timerfd]", "anon_inode:[signalfd]"};
    struct stat status = {0};
    if (!stat_of(fd, &status))
        return false;
    if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
        return has_both_ends_here(fd, &status);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (lh_fd_is(fd, kinds[i]))
            return true;
    return false;
}

static void remember(struct lh_anchor *anchor, const struct lh_poll_wait *wait, int fd)
{
    struct stat status = {0};
    stat_of(fd, &status);
    *anchor = (struct lh_anchor){
        .site = wait->site, .array = wait->fds, .fd = fd, .inode = status.st_ino};
}

bool lh_anchor_find(struct lh_anchor *anchor, const struct lh_poll_wait *wait,
                    const struct lh_poll_site *site)
{
    struct watched watched;
    read_wait(&watched, wait);
    for (uint32_t i = 0; i < watched.read_count; i++) {
        int fd = watched.reads[i];
        bool turns = site->looked && site->waited;
        bool known = site->origin == LH_ORIGIN_LOOP;
        if ((watched.several && is_listening(fd)) || (turns && is_wakeup(fd)) ||
            (known && lh_fd_is(fd, eventfd))) {
            remember(anchor, wait, fd);
            return true;
        }
    }
    return false;
}

static bool set_holds(const fd_set *set, uint32_t count, int fd)
{
    set_word word = 0;
    uintptr_t at = (uintptr_t)set + (size_t)fd / WORD_BITS * sizeof(word);
    return set != NULL && (uint32_t)fd < count &&
           lh_memory_read_self(&word, at, sizeof(word)) == 0 && (word >> fd % WORD_BITS & 1) != 0;
}

/* Most often it is where it was. */
static bool array_holds(struct lh_anchor *anchor, const struct pollfd *fds, uint32_t count)
{
    struct pollfd batch[BATCH];
    if (anchor->index < count &&
        lh_memory_read_self(batch, (uintptr_t)(fds + anchor->index), sizeof(batch[0])) == 0 &&
        batch[0].fd == anchor->fd)
        return true;
    for (uint32_t start = 0; start < count; start += BATCH) {
        uint32_t here = count - start < BATCH ? count - start : BATCH;
        if (lh_memory_read_self(batch, (uintptr_t)(fds + start), here * sizeof(batch[0])) != 0)
            return false;
        for (uint32_t i = 0; i < here; i++) {
            if (batch[i].fd != anchor->fd)
                continue;
            anchor->index = start + i;
            return true;
        }
    }
    return false;
}

/* Qt waits with a time-out and without one at two places. */
static bool is_site_of(const struct lh_anchor *anchor, uintptr_t site)
{
    return anchor->site == site || (anchor->site != 0 && lh_origin_of(site) == LH_ORIGIN_LOOP &&
                                    lh_origin_of(anchor->site) == LH_ORIGIN_LOOP);
}

bool lh_anchor_holds(struct lh_anchor *anchor, const struct lh_poll_wait *wait)
{
    if (!is_site_of(anchor, wait->site))
        return false;
    if (wait->fds == NULL)
        return set_holds(wait->reads, wait->count, anchor->fd);
    if (anchor->array == wait->fds)
        return true;
    if (!array_holds(anchor, wait->fds, wait->count))
        return false;
    anchor->array = wait->fds;
    return true;
}

bool lh_anchor_lives(const struct lh_anchor *anchor)
{
    struct stat status = {0};
    return anchor->site != 0 && stat_of(anchor->fd, &status) && status.st_ino == anchor->inode;
}

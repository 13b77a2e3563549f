/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects that do not fit in one word: small structs on the wrapper's stack, alive as long as the
 * call is in flight. Runs on the program's threads. */
#ifndef LH_PRELOAD_STATE_RESOURCE_H
#define LH_PRELOAD_STATE_RESOURCE_H

#include <fts.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "preload/state/state.h"

struct lh_connecting {
    int fd;
    socklen_t length;
    const void *address;
};

struct lh_sleeping {
    clockid_t clock;
    int flags;
    const struct timespec *time;
};

/* family AF_UNSPEC: a struct sockaddr, else a struct in_addr or in6_addr. */
struct lh_address {
    const void *address;
    socklen_t length;
    int family;
};

/* What a descriptor was, noted before it is closed. */
struct lh_closing {
    int fd;
    uint8_t kind; /* enum lh_resource_kind; LH_RESOURCE_NONE: not looked at */
    int8_t nonblocking;
    uint16_t length;
    char text[256]; /* as in struct lh_resource */
};

/* Valid until the end of the enclosing block (C11 6.5.2.5). */
#define LH_CONNECTING(fd, address, length)                                                         \
    ((uintptr_t) & (struct lh_connecting){(fd), (length), (address)})
#define LH_SLEEPING(clock, flags, time)                                                            \
    ((uintptr_t) & (struct lh_sleeping){(clock), (flags), (time)})

#define LH_ADDRESS(address, length, family)                                                        \
    ((uintptr_t) & (struct lh_address){(address), (length), (family)})
#define LH_CLOSING(number, look) lh_closing_note(&(struct lh_closing){.fd = (number)}, (look))

/* Two descriptors in one word. */
#define LH_TWO_FDS(to, from) ((uint64_t)(uint32_t)(to) << 32 | (uint32_t)(from))

/* select(2) overwrites its timeout, so the time asked for is taken before. Reading it here is safe:
 * glibc's select reads it in user space too. */
int64_t lh_timeval_ns(const struct timeval *timeout);

/* The descriptor of an open directory: glibc's DIR begins with it, as dirfd(3) has it. */
static inline int lh_directory_fd(const void *dir)
{
    return *(const int *)dir;
}

/* Where fts(3) is in a tree, an FTS or (the same on 64 bits) an FTS64: a copy of the path by which
 * it gets there from the working directory, as the walk writes over its own. Before the first entry
 * that is the first root; "" where it is nowhere. */
#define LH_TREE_PATH  512
#define LH_TREE(tree) lh_tree_note((char[LH_TREE_PATH]){0}, tree)
static inline const char *lh_tree_note(char *path, const void *tree)
{
    const FTSENT *entry = ((const FTS *)tree)->fts_cur;
    if (entry != NULL && entry->fts_info == FTS_INIT)
        entry = entry->fts_link;
    if (entry != NULL)
        memcpy(path, entry->fts_accpath, strnlen(entry->fts_accpath, LH_TREE_PATH - 1));
    return path;
}

/* The child behind a stream of popen(3); 0: not known. */
int lh_popen_pid(const void *stream);

/* Looks at closing->fd, if `look`: some system calls. Returns its address. errno stays. */
uintptr_t lh_closing_note(struct lh_closing *closing, bool look);

/* Was it to take no time: a look, or a point in time that had passed when the call began, by two
 * clocks that are not read at once? Then it is no block: a busy machine let it stand. The kernel
 * rounds sleeps up by so much (prctl(2), PR_SET_TIMERSLACK): nobody asks for less. */
#define LH_LEAST_SLEEP_NS 50000
static inline bool lh_resource_is_no_time(const struct lh_resource *resource)
{
    bool has_time = resource->kind == LH_RESOURCE_DURATION || resource->waited_count > 0;
    return has_time && resource->number >= 0 && resource->number < LH_LEAST_SLEEP_NS;
}

/* Puts in whom the call waits for, as the watchdog has seen it. */
void lh_resource_add_noted(struct lh_resource *resource, const struct lh_slot *slot, uint64_t seq);

/* Fills in what a call works on. `operand` and `start` (a counter reading) are as stored in the
 * slot. With `own` the calling thread is the one that made the call; otherwise this is the
 * watchdog, which has a descriptor table of its own and borrows the program's descriptor for a
 * moment (pidfd_getfd(2)). */
void lh_resource_fill(struct lh_resource *resource, enum lh_operand kind, uint64_t operand,
                      uint64_t start, bool own);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How one capture sees this process's memory.
 *
 * A system call for each word would be most of what a capture costs. With a store the kernel is
 * asked for lines of memory, many at once and each once: what a stack is made of lies close
 * together, and where the next objects are is known before they are looked at. A store begins
 * empty: nothing that was read is kept from one capture to the next, so that nothing can be out of
 * date. What is kept is where it was that nobody had foreseen: that comes first next time. */
#ifndef LH_PRELOAD_SYS_VIEW_H
#define LH_PRELOAD_SYS_VIEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "preload/sys/memory.h"

#define LH_VIEW_LINE   256u  /* bytes; a page is a multiple */
#define LH_VIEW_LINES  1024u /* of a store: for 128 frames of Python, mostly */
#define LH_VIEW_PLACES 2048u /* a power of two, more than lines */
#define LH_VIEW_WANTED 192u  /* pieces that wait to be fetched; the next is fetched with them */
#define LH_VIEW_LONE   96u   /* lines that are fetched early, for they were missed last time */
#define LH_VIEW_STORES 4u    /* of a process: captures that go on at the same time */

/* Lines one behind the other, by their numbers: address / LH_VIEW_LINE. */
struct lh_view_piece {
    uintptr_t first;
    uintptr_t last;
};

struct lh_view_store {
    _Atomic uint32_t taken;
    uint32_t tid;   /* of the thread that has it */
    uint32_t asked; /* how often the kernel was asked for lines */
    uint32_t count; /* lines that were read */
    uint32_t wanted_count;
    uint32_t early; /* of these lines, those that were fetched first */
    uint32_t lone_count;
    uintptr_t lone[LH_VIEW_LONE]; /* lines that were read without having been wanted */
    struct lh_view_piece wanted[LH_VIEW_WANTED];
    struct iovec parts[LH_VIEW_WANTED];
    uintptr_t number[LH_VIEW_LINES]; /* of a line */
    bool is_used[LH_VIEW_LINES];     /* something was read from it */
    uint16_t place[LH_VIEW_PLACES];  /* by number: the index of a line, plus 1 */
    uint8_t lines[LH_VIEW_LINES][LH_VIEW_LINE];
};

struct lh_view {
    lh_memory_read *read;        /* where there is no store, or no room in it */
    lh_memory_parts *parts;      /* with a store: what fills it */
    struct lh_view_store *store; /* NULL: none */
};

/* Gives the view one of `stores`, LH_VIEW_STORES of them, for captures of the calling thread; none,
 * if all are in use. Any thread, also the watchdog and in a signal's handler; never waits. They are
 * to be zero at first, and in the child of a fork. */
void lh_view_open(struct lh_view *view, struct lh_view_store *stores);
void lh_view_close(struct lh_view *view);

/* Memory may have changed: what was read so far is forgotten. */
void lh_view_forget(const struct lh_view *view);

/* Copies `size` bytes at `address` to `to`. Returns 0, or -EFAULT when not all of it can be read.
 */
int lh_view_read(const struct lh_view *view, void *to, uintptr_t address, size_t size);

/* How often the kernel was asked since the store was opened, forgotten memory included; 0: there is
 * no store, and it is asked at each read. */
uint32_t lh_view_asked(const struct lh_view *view);

/* Something begins at `address` that will be read, of `size` bytes or fewer: it is fetched with
 * others, as far as its page goes. Without a store nothing happens. */
void lh_view_want(const struct lh_view *view, uintptr_t address, size_t size);

/* The same for all of a page, unless the line at `address` is there. */
void lh_view_want_page(const struct lh_view *view, uintptr_t address);

/* Fetches what is wanted. */
void lh_view_fetch(const struct lh_view *view);

#endif

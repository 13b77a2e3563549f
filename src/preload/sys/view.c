/* SPDX-License-Identifier: Apache-2.0 */
/* How one capture sees this process's memory: see view.h.
 *
 * Runs on the program's threads, in its signal handlers and on the watchdog. Raw system calls only:
 * no errno, no malloc, no stdio, no locks. */
#include "preload/sys/view.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "preload/sys/syscall.h"

#define PAGE          4096u
#define LINES_OF_PAGE (PAGE / LH_VIEW_LINE)
#define LINES_AT_ONCE 4u /* what is longer is read by itself */
#define NO_LINE       UINT32_MAX
#define SPREAD        0x9e3779b97f4a7c15ULL /* Knuth's, 2^64 by the golden ratio */

/* Pieces of one page that are so near are fetched as one: a piece costs the kernel more than these
 * lines. */
#define GAP 8u

static uintptr_t number_of(uintptr_t address)
{
    return address / LH_VIEW_LINE;
}

static uintptr_t page_of(uintptr_t number)
{
    return number / LINES_OF_PAGE;
}

/* The index of this line; or NO_LINE, and in *place where it would stand. There are more places
 * than lines: the search ends. */
static uint32_t find(const struct lh_view_store *store, uintptr_t number, uint32_t *place)
{
    *place = (uint32_t)(number * SPREAD >> 32) % LH_VIEW_PLACES;
    while (store->place[*place] != 0) {
        uint32_t index = store->place[*place] - 1u;
        if (store->number[index] == number)
            return index;
        *place = (*place + 1) % LH_VIEW_PLACES;
    }
    return NO_LINE;
}

static bool has(const struct lh_view_store *store, uintptr_t number)
{
    uint32_t place;
    return find(store, number, &place) != NO_LINE;
}

static void want_piece(const struct lh_view *view, uintptr_t address, size_t size)
{
    struct lh_view_store *store = view->store;
    struct lh_view_piece piece = {number_of(address), number_of(address + size - 1)};
    while (piece.first <= piece.last && has(store, piece.first))
        piece.first++;
    if (piece.first > piece.last)
        return;
    if (store->wanted_count == LH_VIEW_WANTED)
        lh_view_fetch(view);
    store->wanted[store->wanted_count++] = piece;
}

void lh_view_want(const struct lh_view *view, uintptr_t address, size_t size)
{
    uintptr_t page_left = PAGE - address % PAGE;
    if (view->store != NULL && address >= PAGE && size != 0)
        want_piece(view, address, size < page_left ? size : page_left);
}

void lh_view_want_page(const struct lh_view *view, uintptr_t address)
{
    if (view->store != NULL && address >= PAGE && !has(view->store, number_of(address)))
        want_piece(view, address - address % PAGE, PAGE);
}

static void sort(struct lh_view_piece *pieces, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct lh_view_piece piece = pieces[i];
        uint32_t at = i;
        for (; at > 0 && pieces[at - 1].first > piece.first; at--)
            pieces[at] = pieces[at - 1];
        pieces[at] = piece;
    }
}

/* Makes one of pieces that lie near each other. Returns how many there are then. */
static uint32_t join(struct lh_view_piece *pieces, uint32_t count)
{
    uint32_t last = 0;
    for (uint32_t i = 1; i < count; i++) {
        struct lh_view_piece *before = &pieces[last];
        bool is_near = pieces[i].first <= before->last + 1 ||
                       (page_of(pieces[i].first) == page_of(before->last) &&
                        pieces[i].first - before->last <= GAP);
        if (!is_near)
            pieces[++last] = pieces[i];
        else if (pieces[i].last > before->last)
            before->last = pieces[i].last;
    }
    return count == 0 ? 0 : last + 1;
}

/* The pieces from `at` on, as far as there is room. Returns the number of lines. */
static uint32_t make_parts(struct lh_view_store *store, uint32_t at, uint32_t *count)
{
    uint32_t lines = 0;
    *count = 0;
    for (; at < store->wanted_count; at++) {
        const struct lh_view_piece *piece = &store->wanted[at];
        uintptr_t size = piece->last - piece->first + 1;
        if (size > LH_VIEW_LINES - store->count - lines)
            break;
        store->parts[(*count)++] =
            (struct iovec){(void *)(piece->first * LH_VIEW_LINE), size * LH_VIEW_LINE};
        lines += (uint32_t)size;
    }
    return lines;
}

/* The next line of `lines` is this one. What lay in a gap may be there already. */
static void note_line(struct lh_view_store *store, uintptr_t number)
{
    uint32_t place;
    uint32_t index = store->count++;
    store->number[index] = number;
    store->is_used[index] = false;
    if (find(store, number, &place) == NO_LINE)
        store->place[place] = (uint16_t)(index + 1);
}

/* Notes so many lines of the pieces from `at` on. Returns the first piece that is not whole, which
 * now begins behind them. */
static uint32_t note_lines(struct lh_view_store *store, uint32_t at, uint32_t lines)
{
    for (; lines > 0; lines--) {
        struct lh_view_piece *piece = &store->wanted[at];
        note_line(store, piece->first);
        if (piece->first++ == piece->last)
            at++;
    }
    return at;
}

void lh_view_fetch(const struct lh_view *view)
{
    struct lh_view_store *store = view->store;
    if (store == NULL)
        return;
    sort(store->wanted, store->wanted_count);
    store->wanted_count = join(store->wanted, store->wanted_count);
    for (uint32_t at = 0; at < store->wanted_count;) {
        uint32_t count;
        uint32_t lines = make_parts(store, at, &count);
        if (lines == 0)
            break; /* there is no more room */
        store->asked++;
        size_t bytes = view->parts(store->tid, store->lines[store->count], store->parts, count);
        uint32_t got = (uint32_t)(bytes / LH_VIEW_LINE);
        at = note_lines(store, at, got);
        if (got == lines)
            continue;
        struct lh_view_piece *failed = &store->wanted[at]; /* nothing of this page can be read */
        failed->first = (page_of(failed->first) + 1) * LINES_OF_PAGE;
        if (failed->first > failed->last)
            at++;
    }
    store->wanted_count = 0;
}

/* Returns how many bytes lie in front of the first line that is not there. */
static size_t take(struct lh_view_store *store, uint8_t *to, uintptr_t address, size_t size)
{
    size_t done = 0;
    while (done < size) {
        uint32_t place;
        size_t skip = (address + done) % LH_VIEW_LINE;
        size_t part = LH_VIEW_LINE - skip < size - done ? LH_VIEW_LINE - skip : size - done;
        uint32_t index = find(store, number_of(address + done), &place);
        if (index == NO_LINE)
            break;
        store->is_used[index] = true;
        memcpy(to + done, store->lines[index] + skip, part);
        done += part;
    }
    return done;
}

static bool is_wanted(const struct lh_view_store *store, uintptr_t number)
{
    for (uint32_t i = 0; i < store->wanted_count; i++)
        if (number >= store->wanted[i].first && number <= store->wanted[i].last)
            return true;
    return false;
}

static void note_lone(struct lh_view_store *store, uintptr_t address, size_t size)
{
    uintptr_t last = number_of(address + size - 1);
    for (uintptr_t number = number_of(address); number <= last; number++)
        if (store->lone_count < LH_VIEW_LONE && !has(store, number) && !is_wanted(store, number))
            store->lone[store->lone_count++] = number;
}

static int read_past(const struct lh_view *view, void *to, uintptr_t address, size_t size)
{
    if (view->store != NULL)
        view->store->asked++;
    return view->read(to, address, size);
}

int lh_view_read(const struct lh_view *view, void *to, uintptr_t address, size_t size)
{
    struct lh_view_store *store = view->store;
    if (store == NULL || size == 0 || size > LINES_AT_ONCE * LH_VIEW_LINE || address < PAGE ||
        address + size < address)
        return read_past(view, to, address, size);
    if (take(store, to, address, size) == size)
        return 0;
    note_lone(store, address, size);
    want_piece(view, address, size);
    lh_view_fetch(view);
    /* What is still not there cannot be read, or has no room. */
    return take(store, to, address, size) == size ? 0 : read_past(view, to, address, size);
}

uint32_t lh_view_asked(const struct lh_view *view)
{
    return view->store != NULL ? view->store->asked : 0;
}

/* What was asked for by itself is wanted first next time, as long as it is then made use of. */
static void want_early(struct lh_view_store *store)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < store->early && count < LH_VIEW_WANTED - LH_VIEW_LONE; i++)
        if (store->is_used[i])
            store->wanted[count++] = (struct lh_view_piece){store->number[i], store->number[i]};
    for (uint32_t i = 0; i < store->lone_count; i++)
        store->wanted[count++] = (struct lh_view_piece){store->lone[i], store->lone[i]};
    store->wanted_count = count;
}

void lh_view_forget(const struct lh_view *view)
{
    struct lh_view_store *store = view->store;
    if (store == NULL)
        return;
    want_early(store);
    store->count = store->lone_count = 0;
    memset(store->place, 0, sizeof(store->place));
    lh_view_fetch(view);
    store->early = store->count;
}

void lh_view_open(struct lh_view *view, struct lh_view_store *stores)
{
    view->store = NULL;
    for (uint32_t i = 0; i < LH_VIEW_STORES && view->store == NULL; i++)
        if (atomic_exchange_explicit(&stores[i].taken, 1, memory_order_acquire) == 0)
            view->store = &stores[i];
    if (view->store == NULL)
        return;
    view->store->tid = (uint32_t)lh_syscall0(SYS_gettid);
    view->store->asked = 0;
    lh_view_forget(view);
}

void lh_view_close(struct lh_view *view)
{
    if (view->store != NULL)
        atomic_store_explicit(&view->store->taken, 0, memory_order_release);
    view->store = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of records in shared memory.
 *
 * Runs on the program's threads, in signal handlers, in the watchdog and in the collector. No
 * malloc, no system calls, no locks.
 *
 * A cell at index i is free for position p (p mod cells = i) when seq == p, and full when
 * seq == p + 1; the reader sets seq to p + cells, which frees it for the next lap. */
#include "common/ring.h"

#include <stddef.h>
#include <string.h>

#define CELL(position) ((position) & (LH_RING_CELLS - 1))

/* The ring is shared: whatever it says, a writer does not go round for ever. */
#define TRIES_MAX 1000

void lh_ring_init(struct lh_ring *ring, uint32_t pid, const struct lh_options *options)
{
    ring->bytes = sizeof(*ring);
    ring->pid = pid;
    ring->call_count = lh_call_count();
    ring->options = *options;
    for (uint64_t i = 0; i < LH_RING_CELLS; i++)
        atomic_init(&ring->cells[i].seq, i);
    ring->magic = LH_RING_MAGIC;
}

/* The length is read once: who shares the ring may change it meanwhile. */
static void copy_record(struct lh_record *to, const struct lh_record *from)
{
    memcpy(to, from, offsetof(struct lh_record, stack));
    if (to->stack_length <= LH_STACK_BYTES)
        memcpy(to->stack, from->stack, to->stack_length);
}

void lh_ring_take_over(struct lh_ring *ring, struct lh_ring *old)
{
    memcpy(ring, old, offsetof(struct lh_ring, cells));
    for (uint64_t i = 0; i < LH_RING_CELLS; i++) {
        uint64_t seq = atomic_load(&old->cells[i].seq);
        if (seq != i)
            copy_record(&ring->cells[i], &old->cells[i]);
        atomic_store(&ring->cells[i].seq, seq);
    }
    /* Read last: it is beyond all that was copied. */
    uint64_t head = atomic_load(&old->head);
    atomic_store(&ring->head, head);
    for (uint64_t position = lh_ring_resume(ring); position < head; position++)
        if (atomic_load(&ring->cells[CELL(position)].seq) == position) {
            ring->cells[CELL(position)].type = LH_EVENT_LOST;
            atomic_fetch_add(&ring->totals.dropped, 1);
            atomic_store(&ring->cells[CELL(position)].seq, position + 1);
        }
}

struct lh_record *lh_ring_reserve(struct lh_ring *ring)
{
    uint64_t position = atomic_load_explicit(&ring->head, memory_order_relaxed);
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        struct lh_record *record = &ring->cells[CELL(position)];
        uint64_t seq = atomic_load_explicit(&record->seq, memory_order_acquire);
        if ((int64_t)(seq - position) < 0)
            return NULL;
        if (seq != position) {
            position = atomic_load_explicit(&ring->head, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&ring->head, &position, position + 1,
                                                         memory_order_relaxed,
                                                         memory_order_relaxed)) {
            record->position = position;
            return record;
        }
    }
    return NULL;
}

void lh_ring_commit(struct lh_ring *ring, struct lh_record *record)
{
    uint64_t seq = record->position;
    atomic_compare_exchange_strong_explicit(&record->seq, &seq, seq + 1, memory_order_release,
                                            memory_order_relaxed);
    atomic_fetch_add_explicit(&ring->wake, 1, memory_order_release);
}

bool lh_ring_take(struct lh_ring *ring, uint64_t *position, struct lh_record *copy)
{
    struct lh_record *record = &ring->cells[CELL(*position)];
    if (atomic_load_explicit(&record->seq, memory_order_acquire) != *position + 1)
        return false;
    copy_record(copy, record);
    atomic_store_explicit(&record->seq, *position + LH_RING_CELLS, memory_order_release);
    *position += 1;
    return true;
}

uint64_t lh_ring_resume(const struct lh_ring *ring)
{
    uint64_t head = atomic_load(&ring->head);
    uint64_t position = head > LH_RING_CELLS ? head - LH_RING_CELLS : 0;
    while (position < head &&
           atomic_load(&ring->cells[CELL(position)].seq) == position + LH_RING_CELLS)
        position++;
    return position;
}

static bool task_is_inside(const struct lh_python_task *task, uint32_t strings_length)
{
    return (!task->has_name || task->name < strings_length) &&
           (!task->has_coroutine || task->coroutine < strings_length);
}

static uint32_t cells_in_use(const struct lh_ring *ring)
{
    uint32_t head = (uint32_t)atomic_load_explicit(&ring->head, memory_order_relaxed);
    return head - atomic_load_explicit(&ring->written, memory_order_relaxed);
}

bool lh_ring_has_room(const struct lh_ring *ring)
{
    return cells_in_use(ring) < LH_RING_CELLS / 2;
}

bool lh_ring_is_calm(const struct lh_ring *ring)
{
    return cells_in_use(ring) < LH_RING_CELLS / 8;
}

void lh_ring_forget_samples(struct lh_ring *ring)
{
    for (uint64_t position = lh_ring_resume(ring);; position++) {
        struct lh_record *record = &ring->cells[CELL(position)];
        if (atomic_load_explicit(&record->seq, memory_order_acquire) != position + 1 ||
            (record->type != LH_EVENT_SAMPLE && record->type != LH_EVENT_HOLDER &&
             record->type != LH_EVENT_AWAITED))
            return;
        atomic_store(&ring->written, (uint32_t)position + 1);
        atomic_store_explicit(&record->seq, position + LH_RING_CELLS, memory_order_release);
    }
}

static bool awaited_is_sane(const struct lh_awaited *awaited, const struct lh_record *record)
{
    uint64_t frames = 0;
    if (awaited->kind >= LH_AWAITED_COUNT || awaited->candidate_count > LH_CANDIDATES ||
        (awaited->has_coroutine && awaited->coroutine >= record->strings_length))
        return false;
    for (uint32_t i = 0; i < awaited->candidate_count; i++) {
        const struct lh_candidate *candidate = &awaited->candidates[i];
        frames += candidate->python_count;
        if (memchr(candidate->thread, '\0', sizeof(candidate->thread)) == NULL)
            return false;
    }
    return frames <= record->python_count;
}

static bool strings_are_inside(const struct lh_record *record)
{
    if (record->python_count == 0 && !record->task.has_name && !record->task.has_coroutine &&
        !record->awaited.has_coroutine)
        return true;
    /* The last byte of the pool is a NUL, so every offset inside it starts a terminated string. */
    if (record->strings_length == 0 || record->strings[record->strings_length - 1] != '\0')
        return false;
    for (uint32_t i = 0; i < record->python_count; i++)
        if (record->python[i].file >= record->strings_length ||
            record->python[i].function >= record->strings_length)
            return false;
    return task_is_inside(&record->task, record->strings_length);
}

/* The strings that there are to be, all of them whole. */
static bool tags_are_sane(const struct lh_tags *tags)
{
    uint32_t strings = (tags->has_test != 0) + 2u * tags->label_count;
    if (tags->label_count > LH_LABELS_MAX || tags->length > sizeof(tags->text))
        return false;
    for (uint32_t i = 0; i < tags->length; i++)
        if (tags->text[i] == '\0' && strings > 0)
            strings--;
    return strings == 0;
}

static bool stall_is_sane(const struct lh_stall *stall)
{
    if (stall->call_count > LH_STALL_CALLS || stall->last_call >= lh_call_count())
        return false;
    for (uint32_t i = 0; i < stall->call_count; i++)
        if (stall->calls[i].call >= lh_call_count())
            return false;
    return true;
}

static bool resource_is_sane(const struct lh_resource *resource)
{
    if (resource->kind >= LH_RESOURCE_COUNT || resource->length > sizeof(resource->text) ||
        resource->too_count > LH_WAITED_FIRST - 1 ||
        resource->who.length > sizeof(resource->who.text))
        return false;
    for (uint32_t i = 0; i < resource->too_count; i++)
        if (resource->too[i].length > sizeof(resource->too[i].text) ||
            (resource->too[i].kind != LH_RESOURCE_SOCKET &&
             resource->too[i].kind != LH_RESOURCE_FILE))
            return false;
    return true;
}

bool lh_record_check(const struct lh_record *record)
{
    return record->type < LH_EVENT_COUNT && record->call < lh_call_count() &&
           record->group < LH_GROUP_COUNT && record->reason <= LH_REASON_STRICT &&
           record->found < LH_FOUND_COUNT && record->no_stack < LH_NO_STACK_COUNT &&
           resource_is_sane(&record->resource) && record->stack_length <= LH_STACK_BYTES &&
           record->python_count <= LH_PYTHON_FRAMES && record->strings_length <= LH_STRING_BYTES &&
           strings_are_inside(record) && awaited_is_sane(&record->awaited, record) &&
           stall_is_sane(&record->stall) && tags_are_sane(&record->tags) &&
           memchr(record->thread, '\0', sizeof(record->thread)) != NULL;
}

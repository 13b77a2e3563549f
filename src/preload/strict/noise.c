/* SPDX-License-Identifier: Apache-2.0 */
/* Noise, and places. See noise.h: runs on the loop thread. */
#include "preload/strict/noise.h"

#include <errno.h>
#include <stddef.h>

#include "common/call_ids.h"
#include "common/mix.h"
#include "preload/python/interpreter.h"
#include "preload/python/marks.h"
#include "preload/sys/memory.h"
#include "preload/sys/stack_words.h"

struct search {
    const struct lh_slot *slot;
    bool is_lock;       /* the call is of that group */
    uint32_t frames;    /* seen so far */
    bool outside;       /* the first function outside of the standard library was seen … */
    bool has_user;      /* … and the first of the user's own */
    bool reads;         /* READS was seen */
    bool waits;         /* the innermost function waits by design … */
    bool has_queue;     /* … or works with a SimpleQueue, which waits inside C */
    uint64_t innermost; /* which function that is, and where it is */
    uint64_t place;
    enum lh_noise noise;
};

void lh_noise_count(enum lh_noise noise)
{
    struct lh_ring *ring = lh_process != NULL ? atomic_load(&lh_process->ring) : NULL;
    if (ring != NULL)
        atomic_fetch_add_explicit(&ring->totals.quiet[noise], 1, memory_order_relaxed);
}

/* Does the row hold here? */
static bool holds(const struct search *search, const struct lh_python_mark *mark)
{
    switch (mark->where) {
    case LH_NOISE_ANY:
        return true;
    case LH_NOISE_NEAR:
        return !search->outside && mark->whose == LH_PYTHON_STANDARD;
    case LH_NOISE_SOURCE:
        return search->reads && !search->outside && mark->whose == LH_PYTHON_STANDARD;
    case LH_NOISE_FIRST:
        return !search->outside && mark->whose != LH_PYTHON_STANDARD;
    default:
        return false;
    }
}

/* The function that runs the loop, or the one by which a loop in C was called. */
static bool is_loops(const struct search *search, const struct lh_python_step *step,
                     const struct lh_python_mark *mark)
{
    const struct lh_python_place *place = &search->slot->place;
    return mark->runs != LH_PYTHON_RUNS_NOTHING ||
           (place->innermost == step->frame && place->innermost_code == step->code);
}

/* The place: the first function outside of the standard library, and the user's own that it was
 * called by. Code that was made from a string is of both of them. */
static void add_to_place(struct search *search, const struct lh_python_step *step,
                         const struct lh_python_mark *mark)
{
    uint64_t here = lh_mix(mark->identity, step->instruction);
    bool whose_own = mark->whose == LH_PYTHON_USER;
    bool generated = mark->whose == LH_PYTHON_GENERATED;
    if (search->frames == 0)
        search->innermost = here;
    if (mark->whose == LH_PYTHON_STANDARD)
        return;
    if (!search->outside || ((whose_own || generated) && !search->has_user))
        search->place = lh_mix(search->place, here);
    search->has_user |= whose_own;
    search->outside |= !generated;
}

static bool visit(const struct lh_python_walk *walk, const struct lh_python_step *step,
                  void *context)
{
    struct search *search = context;
    const struct lh_python_mark mark = lh_python_mark_of(walk, step);
    if (is_loops(search, step, &mark))
        return false;
    if (holds(search, &mark) && lh_noise_is_on((enum lh_noise)mark.noise))
        search->noise = (enum lh_noise)mark.noise;
    search->reads |= mark.where == LH_NOISE_READS;
    if (search->frames == 0) {
        search->waits = mark.where == LH_NOISE_WAITS && mark.whose == LH_PYTHON_STANDARD;
        search->has_queue = search->is_lock && lh_python_frame_waits_for_queue(
                                                   walk, step, search->slot->operand);
    }
    add_to_place(search, step, &mark);
    search->frames++;
    return search->noise == LH_NOISE_NONE;
}

/* Our wrapper keeps a frame pointer: the word above it is where it returns to. 0: not known. */
static uintptr_t caller_of(const struct lh_slot *slot)
{
    return slot->registers.fp != 0 ? *((const uintptr_t *)slot->registers.fp + 1) : 0;
}

/* Was it called by the interpreter itself, not by an extension of it? */
static bool is_interpreters(const struct lh_slot *slot)
{
    return caller_of(slot) - slot->python_code.from < slot->python_code.size;
}

static bool takes_lock(const struct lh_slot *slot)
{
    switch (lh_call_info(slot->call)->operand) {
    case LH_OPERAND_MUTEX:
    case LH_OPERAND_RWLOCK:
        return true;
    default:
        return slot->call == LH_CALL_pthread_spin_lock || slot->call == LH_CALL_flockfile;
    }
}

/* Python's own locks are semaphores and conditions of libc's. */
static bool takes_python_lock(const struct search *search)
{
    const struct lh_call_info *info = lh_call_info(search->slot->call);
    return search->frames > 0 &&
           (info->operand == LH_OPERAND_LOCK || info->operand == LH_OPERAND_CONDITION) &&
           !search->waits && !search->has_queue && is_interpreters(search->slot);
}

static enum lh_noise noise_of_lock(const struct search *search)
{
    const struct lh_slot *slot = search->slot;
    if (!search->is_lock)
        return LH_NOISE_NONE;
    if (takes_lock(slot))
        return lh_python_is_runtime_lock(slot->operand) || is_interpreters(slot)
                   ? LH_NOISE_GIL
                   : LH_NOISE_LOCK_HANDOFF;
    return takes_python_lock(search) ? LH_NOISE_LOCK_HANDOFF : LH_NOISE_NONE;
}

#define NATIVE_BYTES 512u /* of a stack without Python */

static bool add_return(void *context, uintptr_t at, uintptr_t word)
{
    uint64_t *sum = context;
    (void)at;
    if (word > UINT16_MAX && lh_is_after_call(word))
        *sum = lh_mix(*sum, word);
    return false;
}

/* Without Python: what looks like return addresses. Words that are left over make two places of
 * one, never one of two. */
static uint64_t native_place(const struct lh_slot *slot)
{
    uint64_t sum = caller_of(slot);
    if (sum != 0)
        lh_stack_words(slot->registers.fp, NATIVE_BYTES, add_return, &sum);
    return sum;
}

static uint64_t place_of(const struct search *search)
{
    uint64_t place = search->place != 0 ? search->place : search->innermost;
    if (search->frames == 0)
        place = native_place(search->slot);
    return place != 0 ? lh_mix(place, search->slot->call) : 0;
}

struct lh_noise_look lh_noise_look(const struct lh_slot *slot, int error)
{
    struct search search = {.slot = slot,
                            .is_lock = lh_call_info(slot->call)->group == LH_GROUP_LOCK,
                            .noise = LH_NOISE_NONE};
    lh_python_visit_frames(lh_memory_read_near, slot->python_thread, visit, &search);
    if (search.noise == LH_NOISE_NONE && error != ETIMEDOUT) /* it was handed over */
        search.noise = noise_of_lock(&search);
    if (search.noise == LH_NOISE_NONE && search.frames == 0 && lh_python_is_loaded())
        search.noise = LH_NOISE_NATIVE_LOOP;
    if (search.noise == LH_NOISE_NONE || !lh_noise_is_on(search.noise))
        return (struct lh_noise_look){LH_NOISE_NONE, place_of(&search)};
    return (struct lh_noise_look){search.noise, 0};
}

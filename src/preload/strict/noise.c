/* SPDX-License-Identifier: Apache-2.0 */
/* Noise, and places. See noise.h: runs on the loop thread. */
#include "preload/strict/noise.h"

#include <errno.h>
#include <stddef.h>

#include "common/call_ids.h"
#include "common/mix.h"
#include "preload/python/interpreter.h"
#include "preload/python/marks.h"
#include "preload/state/always.h"
#include "preload/sys/memory.h"
#include "preload/sys/stack_words.h"

#define PLACED_MAX 4u
#define WORD_MASK  (sizeof(uintptr_t) - 1)
#define ADDRESSES  (1ULL << 63) /* none is above: a word has a bit to spare */

struct search {
    const struct lh_slot *slot;
    const struct lh_call_info *info; /* of the call */
    lh_memory_read *read;
    bool is_lock;       /* the call is of that group */
    uint32_t frames;    /* seen so far */
    bool outside;       /* the first function outside of the standard library was seen … */
    bool has_user;      /* … and the first of the user's own */
    bool has_generated; /* one that was made from a string */
    bool reads;         /* READS was seen */
    bool waits;         /* the innermost function waits by design … */
    bool has_queue;     /* … or works with a SimpleQueue, which waits inside C */
    bool whole;         /* noise is no reason to stop: the place is wanted, too */
    enum lh_noise noise;
    enum lh_noise off; /* the first class that would hold if it were on */

    /* The functions that the place is known by. */
    uint32_t placed;
    struct placed {
        struct lh_python_step step;
        uint64_t identity;
    } places[PLACED_MAX];
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
 * called by. Code that was made from a string is of both of them. Where there is neither it is the
 * innermost function. */
static void add_to_place(struct search *search, const struct lh_python_step *step,
                         const struct lh_python_mark *mark)
{
    bool whose_own = mark->whose == LH_PYTHON_USER;
    bool generated = mark->whose == LH_PYTHON_GENERATED;
    bool wanted = mark->whose != LH_PYTHON_STANDARD &&
                  (!search->outside || ((whose_own || generated) && !search->has_user));
    if (wanted && search->placed > 0 && !search->outside && !search->has_generated)
        search->placed = 0; /* not the innermost */
    if ((wanted || search->frames == 0) && search->placed < PLACED_MAX)
        search->places[search->placed++] = (struct placed){*step, mark->identity};
    search->has_generated |= generated;
    search->has_user |= whose_own;
    search->outside |= mark->whose != LH_PYTHON_STANDARD && !generated;
}

static void take_class(struct search *search, enum lh_noise noise)
{
    enum lh_noise *found = lh_noise_is_on(noise) ? &search->noise : &search->off;
    if (*found == LH_NOISE_NONE)
        *found = noise;
}

static bool visit(const struct lh_python_walk *walk, const struct lh_python_step *step,
                  void *context)
{
    struct search *search = context;
    const struct lh_python_mark mark = lh_python_mark_of(walk, step);
    if (is_loops(search, step, &mark))
        return false;
    if (holds(search, &mark))
        take_class(search, (enum lh_noise)mark.noise);
    search->reads |= mark.where == LH_NOISE_READS;
    if (search->frames == 0) {
        search->waits = mark.where == LH_NOISE_WAITS && mark.whose == LH_PYTHON_STANDARD;
        search->has_queue =
            search->is_lock && lh_python_frame_waits_for_queue(walk, step, search->slot->operand);
    }
    add_to_place(search, step, &mark);
    search->frames++;
    return search->noise == LH_NOISE_NONE || search->whole;
}

/* Our wrapper keeps a frame pointer: the word above it is where it returns to. 0: not known. */
static uintptr_t caller_of(const struct search *search)
{
    uintptr_t fp = search->slot->registers.fp;
    uintptr_t caller = 0;
    if (fp == 0 || search->read(&caller, fp + sizeof(caller), sizeof(caller)) != 0)
        return 0;
    return caller;
}

/* Was it called by the interpreter itself, not by an extension of it? */
static bool is_interpreters(const struct search *search)
{
    const struct lh_code *code = &search->slot->python_code;
    return caller_of(search) - code->from < code->size;
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
    enum lh_operand operand = search->info->operand;
    return search->frames > 0 && (operand == LH_OPERAND_LOCK || operand == LH_OPERAND_CONDITION) &&
           !search->waits && !search->has_queue && is_interpreters(search);
}

static enum lh_noise noise_of_lock(const struct search *search)
{
    const struct lh_slot *slot = search->slot;
    if (!search->is_lock)
        return LH_NOISE_NONE;
    if (takes_lock(slot))
        return lh_python_is_runtime_lock(slot->operand) || is_interpreters(search)
                   ? LH_NOISE_GIL
                   : LH_NOISE_LOCK_HANDOFF;
    return takes_python_lock(search) ? LH_NOISE_LOCK_HANDOFF : LH_NOISE_NONE;
}

#define NATIVE_WORDS 64u   /* of a stack without Python */
#define KNOWN_WORDS  1024u /* a power of two */

/* Words that were looked at, each in its place: twice the word, and 1 more where it looks like a
 * return address. One that has become another since, with the library that was there, makes two
 * places of one. */
static _Atomic uintptr_t known_words[KNOWN_WORDS];

static bool looks_like_return(uintptr_t word)
{
    _Atomic uintptr_t *place = &known_words[lh_mix(0, word) % KNOWN_WORDS];
    uintptr_t known = atomic_load_explicit(place, memory_order_relaxed);
    if (known >> 1 != word) {
        known = word << 1 | lh_is_after_call(word);
        atomic_store_explicit(place, known, memory_order_relaxed);
    }
    return (known & 1) != 0;
}

/* Without Python: what looks like return addresses. Words that are left over make two places of
 * one, never one of two. */
static uint64_t native_place(const struct search *search)
{
    uintptr_t words[NATIVE_WORDS];
    uint64_t sum = caller_of(search);
    size_t count = sum != 0 ? lh_memory_copy_near(words, search->slot->registers.fp & ~WORD_MASK,
                                                  sizeof(words)) /
                                  sizeof(words[0])
                            : 0;
    for (size_t i = 0; i < count; i++)
        if (words[i] > UINT16_MAX && words[i] < ADDRESSES && looks_like_return(words[i]))
            sum = lh_mix(sum, words[i]);
    return sum;
}

static uint64_t place_of(const struct search *search)
{
    uint64_t place = search->frames == 0 ? native_place(search) : 0;
    for (uint32_t i = 0; i < search->placed; i++) {
        const struct placed *placed = &search->places[i];
        uint32_t line = lh_python_line_of(search->read, &placed->step);
        place = lh_mix(lh_mix(place, placed->identity), line);
    }
    return place != 0 ? lh_mix(place, search->slot->call) : 0;
}

static struct search search_of(const struct lh_slot *slot, uint32_t call, lh_memory_read *read)
{
    const struct lh_call_info *info = lh_call_info(call);
    return (struct search){
        .slot = slot, .info = info, .read = read, .is_lock = info->group == LH_GROUP_LOCK};
}

static void look(struct search *search, int error)
{
    const struct lh_slot *slot = search->slot;
    lh_python_visit_frames(search->read, slot->python_thread, visit, search);
    if (error != ETIMEDOUT) /* it was handed over */
        take_class(search, noise_of_lock(search));
    if (search->frames == 0 && lh_python_is_loaded())
        take_class(search, LH_NOISE_NATIVE_LOOP);
}

/* May a rule that begins with `!` want it told? */
static bool is_asked(const struct lh_call_info *info, enum lh_noise noise)
{
    const struct lh_rule_facts facts = {.type = "block",
                                        .call = info->canonical,
                                        .symbol = info->symbol,
                                        .noise = lh_noise_name(noise),
                                        .duration_ns = LH_UNKNOWN};
    return (lh_always.count > 0 || lh_always.more) && lh_noise_has_switch(noise) &&
           lh_always_may_match(&facts);
}

struct lh_noise_look lh_noise_look(const struct lh_slot *slot, int error)
{
    struct search search = search_of(slot, slot->call, lh_memory_read_near);
    look(&search, error);
    bool asked = search.noise != LH_NOISE_NONE && is_asked(search.info, search.noise);
    if (asked) {
        search = search_of(slot, slot->call, lh_memory_read_near);
        search.whole = true;
        look(&search, error);
    }
    bool told = asked || search.noise == LH_NOISE_NONE;
    return (struct lh_noise_look){
        search.noise,
        search.off != LH_NOISE_NONE ? search.off : (enum lh_noise)lh_self.noise_off,
        asked,
        told ? place_of(&search) : 0,
    };
}

enum lh_noise lh_noise_look_ahead(struct lh_slot *slot, uint32_t call)
{
    if (lh_call_info(call)->operand != LH_OPERAND_PATH || lh_process == NULL ||
        atomic_load(&lh_process->pid) == 0) /* a child of fork has no slots */
        return LH_NOISE_NONE;
    struct search search = search_of(slot, call, lh_memory_read_near);
    lh_slot_note_python(slot);
    look(&search, 0);
    return search.noise != LH_NOISE_NONE && is_asked(search.info, search.noise) ? LH_NOISE_NONE
                                                                                : search.noise;
}

bool lh_noise_covers(const struct lh_slot *slot)
{
    struct search search = search_of(slot, slot->call, lh_memory_read_self);
    look(&search, 0);
    return search.noise != LH_NOISE_NONE && !lh_noise_is_brief(search.noise);
}

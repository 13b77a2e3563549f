/* SPDX-License-Identifier: Apache-2.0 */
/* See named.h. Runs in the collector, on the thread of a ring. */
#include "collect/stack/named.h"

#include <stdlib.h>
#include <string.h>

#include "common/mix.h"

#define FIRST_SLOTS 64u /* a power of two, like every size of the table */

struct place {
    uint64_t pc;
    bool exact;
    uint32_t count;
    struct lh_frame frames[]; /* and behind them their texts */
};

struct lh_named {
    uint32_t generation;
    uint32_t count;
    uint32_t slots;
    size_t bytes;
    struct place **places; /* open addressing; NULL: free */
};

struct lh_named *lh_named_new(void)
{
    return calloc(1, sizeof(struct lh_named));
}

void lh_named_forget(struct lh_named *named)
{
    for (uint32_t i = 0; i < named->slots; i++)
        free(named->places[i]);
    free(named->places);
    *named = (struct lh_named){.generation = named->generation};
}

void lh_named_free(struct lh_named *named)
{
    if (named == NULL)
        return;
    lh_named_forget(named);
    free(named);
}

bool lh_named_begin(struct lh_named *named, uint32_t generation)
{
    bool stale = named->generation != generation;
    bool full = named->count >= LH_NAMED_MAX || named->bytes >= LH_NAMED_BYTES;
    if (stale || full)
        lh_named_forget(named);
    named->generation = generation;
    return stale || full;
}

/* The slot of this address, or the free one where it belongs. */
static struct place **find_slot(struct place **places, uint32_t slots, uint64_t pc, bool exact)
{
    for (uint64_t at = lh_mix(pc, exact);; at++) {
        struct place **slot = &places[at & (slots - 1)];
        if (*slot == NULL || ((*slot)->pc == pc && (*slot)->exact == exact))
            return slot;
    }
}

uint32_t lh_named_find(const struct lh_named *named, const struct lh_native_frame *native,
                       struct lh_frame *frames, uint32_t most)
{
    const struct place *place =
        named->slots > 0 ? *find_slot(named->places, named->slots, native->pc, native->exact)
                         : NULL;
    if (place == NULL)
        return 0;
    memcpy(frames, place->frames, (place->count < most ? place->count : most) * sizeof(frames[0]));
    return place->count;
}

static bool make_room(struct lh_named *named)
{
    if (named->count * 2 < named->slots)
        return true;
    uint32_t slots = named->slots == 0 ? FIRST_SLOTS : named->slots * 2;
    struct place **places = calloc(slots, sizeof(struct place *));
    if (places == NULL)
        return false;
    for (uint32_t i = 0; i < named->slots; i++)
        if (named->places[i] != NULL)
            *find_slot(places, slots, named->places[i]->pc, named->places[i]->exact) =
                named->places[i];
    free(named->places);
    named->places = places;
    named->slots = slots;
    return true;
}

/* The texts of a frame that are copied, one after the other; NULL: there are no more. */
static const char **text_of(struct lh_frame *frame, unsigned which)
{
    const char **texts[] = {&frame->function, &frame->file, &frame->directory, &frame->build_id};
    return which < sizeof(texts) / sizeof(texts[0]) ? texts[which] : NULL;
}

static size_t text_bytes(const struct lh_frame *frames, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct lh_frame frame = frames[i];
        for (unsigned which = 0; text_of(&frame, which) != NULL; which++) {
            const char *text = *text_of(&frame, which);
            bytes += text != NULL ? strlen(text) + 1 : 0;
        }
    }
    return bytes;
}

static void copy_texts(struct place *place)
{
    char *to = (char *)(place->frames + place->count);
    for (uint32_t i = 0; i < place->count; i++)
        for (unsigned which = 0; text_of(&place->frames[i], which) != NULL; which++) {
            const char **text = text_of(&place->frames[i], which);
            if (*text == NULL)
                continue;
            size_t size = strlen(*text) + 1;
            memcpy(to, *text, size);
            *text = to;
            to += size;
        }
}

bool lh_named_keep(struct lh_named *named, const struct lh_native_frame *native,
                   const struct lh_frame *frames, uint32_t count)
{
    if (named->count >= LH_NAMED_MAX || named->bytes >= LH_NAMED_BYTES || !make_room(named))
        return false;
    size_t bytes = sizeof(struct place) + count * sizeof(frames[0]) + text_bytes(frames, count);
    struct place *place = malloc(bytes);
    if (place == NULL)
        return false;
    *place = (struct place){.pc = native->pc, .exact = native->exact, .count = count};
    memcpy(place->frames, frames, count * sizeof(frames[0]));
    copy_texts(place);
    *find_slot(named->places, named->slots, native->pc, native->exact) = place;
    named->count++;
    named->bytes += bytes;
    return true;
}

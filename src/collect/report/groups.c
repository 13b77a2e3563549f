/* SPDX-License-Identifier: Apache-2.0 */
/* Samples grouped by their common stem. See groups.h. */
#include "collect/report/groups.h"

#include <string.h>

#include "collect/stack/frame_kind.h"

#define SAMPLES_MAX 256u /* looked at: those with the most time */

/* The samples that begin with the same calls, and these. */
struct stem {
    const struct lh_sample *samples;
    uint32_t count;
    bool member[SAMPLES_MAX];
    uint32_t depth;
    uint64_t ns; /* of its members */
    struct {
        const struct lh_frame *frame;
        uint64_t ns; /* of the members that it had with this call */
    } calls[LH_STACK_FRAMES_MAX];
};

static const struct lh_frame *frame_at(const struct lh_sample *sample, uint32_t depth)
{
    return depth < sample->frame_count ? &sample->frames[sample->frame_count - 1 - depth] : NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The same function, whichever of its lines. */
static bool same_function(const struct lh_frame *a, const struct lh_frame *b)
{
    return b != NULL && a->lang == b->lang && same_text(a->function, b->function) &&
           same_text(a->file, b->file) && same_text(a->module, b->module) &&
           (a->function != NULL || a->offset == b->offset);
}

static uint64_t ns_below(const struct stem *stem, const struct lh_frame *frame)
{
    uint64_t ns = 0;
    for (uint32_t i = 0; i < stem->count; i++)
        if (stem->member[i] && same_function(frame, frame_at(&stem->samples[i], stem->depth)))
            ns += stem->samples[i].ns;
    return ns;
}

/* The call at the end of the stem below which most time was spent, and how much. */
static const struct lh_frame *heaviest_call(const struct stem *stem, uint64_t *most_ns)
{
    const struct lh_frame *heaviest = NULL;
    *most_ns = 0;
    for (uint32_t i = 0; i < stem->count && *most_ns * 2 <= stem->ns; i++) {
        const struct lh_frame *frame =
            stem->member[i] ? frame_at(&stem->samples[i], stem->depth) : NULL;
        uint64_t ns = frame != NULL ? ns_below(stem, frame) : 0;
        if (ns <= *most_ns)
            continue;
        heaviest = frame;
        *most_ns = ns;
    }
    return heaviest;
}

static void follow(struct stem *stem, const struct lh_frame *frame, uint64_t ns)
{
    for (uint32_t i = 0; i < stem->count; i++)
        if (stem->member[i] && !same_function(frame, frame_at(&stem->samples[i], stem->depth)))
            stem->member[i] = false;
    stem->ns = ns;
    stem->calls[stem->depth].frame = frame;
    stem->calls[stem->depth].ns = ns;
    stem->depth++;
}

/* Of the members' lines at the stem's end, the one with most time. */
static uint32_t heaviest_line(const struct stem *stem)
{
    uint64_t most_ns = 0;
    uint32_t line = 0;
    for (uint32_t i = 0; i < stem->count; i++) {
        uint64_t ns = 0;
        if (!stem->member[i])
            continue;
        uint32_t at = frame_at(&stem->samples[i], stem->depth - 1)->line;
        for (uint32_t k = 0; k < stem->count; k++)
            if (stem->member[k] && frame_at(&stem->samples[k], stem->depth - 1)->line == at)
                ns += stem->samples[k].ns;
        if (ns > most_ns) {
            most_ns = ns;
            line = at;
        }
    }
    return line;
}

/* The first member has most time: its lines stand for all further out. */
static void copy_stem(const struct stem *stem, struct lh_frame *frames, struct lh_sample *group)
{
    uint32_t first = 0;
    while (!stem->member[first])
        first++;
    const struct lh_sample *sample = &stem->samples[first];
    memcpy(frames, &sample->frames[sample->frame_count - stem->depth],
           stem->depth * sizeof(frames[0]));
    if (frames[0].function != NULL) {
        uint32_t line = heaviest_line(stem);
        if (line != frames[0].line)
            frames[0].column = 0;
        frames[0].line = line;
    }
    for (uint32_t i = 0; i < stem->depth; i++)
        frames[i].source = NULL; /* of the samples' own places, and of the line before this one */
    uint32_t user = lh_first_of_user(frames, stem->depth);
    for (uint32_t i = 0; i < stem->depth; i++)
        frames[i].user = i == user;
    uint64_t count = stem->ns / LH_SAMPLE_NS;
    *group = (struct lh_sample){.ns = stem->ns,
                                .count = count == 0           ? 1
                                         : count > UINT32_MAX ? UINT32_MAX
                                                              : (uint32_t)count,
                                .frame_count = stem->depth,
                                .frames = frames};
    for (uint32_t i = 0; i < stem->count; i++)
        if (stem->member[i])
            lh_work_add(group->work_ns, stem->samples[i].work_ns);
}

static uint64_t sum_ns(const struct stem *stem, const bool *taken)
{
    uint64_t ns = 0;
    for (uint32_t i = 0; i < stem->count; i++)
        ns += taken[i] ? 0 : stem->samples[i].ns;
    return ns;
}

/* The stem of the samples that no group has taken yet, as far as each call has `least_ns`, and of
 * `depth` calls at most. */
static void grow(struct stem *stem, const bool *taken, uint64_t least_ns, uint32_t depth)
{
    const struct lh_frame *frame;
    uint64_t ns;
    stem->depth = 0;
    stem->ns = sum_ns(stem, taken);
    for (uint32_t i = 0; i < stem->count; i++)
        stem->member[i] = !taken[i];
    while (stem->depth < depth && (frame = heaviest_call(stem, &ns)) != NULL && ns >= least_ns)
        follow(stem, frame, ns);
}

/* The innermost of the user's own calls. `depth`: there is none. */
static uint32_t users_call(const struct stem *stem)
{
    uint32_t user = stem->depth;
    enum lh_frame_kind best = LH_FRAME_LIBRARY;
    for (uint32_t i = 0; i < stem->depth; i++) {
        enum lh_frame_kind kind = lh_frame_kind_of(stem->calls[i].frame);
        if (kind > LH_FRAME_OWN_NATIVE || kind > best)
            continue; /* the user's machine code counts where there is no script of theirs */
        best = kind;
        user = i;
    }
    return user;
}

/* The outermost one of a file of Python or JavaScript: in Node.js all ways but the event loop's are
 * further in. 0: there is none. */
static uint32_t outermost_script(const struct stem *stem)
{
    for (uint32_t i = 0; i < stem->depth; i++)
        if (lh_frame_has_script_file(stem->calls[i].frame))
            return i;
    return 0;
}

/* In the loop one of several ways is followed. From the user's own code on, or that of a package,
 * the place from which the ways part says more than one of them, unless that has most of the time.
 */
static uint32_t good_depth(const struct stem *stem)
{
    uint32_t depth = stem->depth;
    uint32_t from = users_call(stem);
    if (from == depth)
        from = outermost_script(stem);
    while (depth > from + 1 && stem->calls[depth - 1].ns * 2 < stem->calls[from].ns)
        depth--;
    return depth;
}

uint32_t lh_groups_find(struct lh_groups *groups, const struct lh_sample *samples, uint32_t count)
{
    bool taken[SAMPLES_MAX] = {false};
    struct stem stem = {.samples = samples, .count = count < SAMPLES_MAX ? count : SAMPLES_MAX};
    uint64_t all_ns = sum_ns(&stem, taken);
    uint32_t found = 0;
    for (; found < LH_GROUPS_MAX; found++) {
        grow(&stem, taken, all_ns / LH_GROUP_PART, LH_STACK_FRAMES_MAX);
        grow(&stem, taken, all_ns / LH_GROUP_PART, good_depth(&stem));
        if (stem.depth == 0 || stem.ns == 0)
            break;
        copy_stem(&stem, groups->frames[found], &groups->samples[found]);
        for (uint32_t i = 0; i < stem.count; i++)
            taken[i] = taken[i] || stem.member[i];
    }
    return found;
}

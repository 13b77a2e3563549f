/* SPDX-License-Identifier: Apache-2.0 */
/* Samples added up. See profile.h. */
#include "collect/report/profile.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "collect/report/frames.h"
#include "collect/stack/runtime_work.h"
#include "common/units.h"

#define THREADS 64  /* loop threads in a long iteration at the same time */
#define STACKS  256 /* different stacks in one iteration */

#define BYTES_MAX (32u << 20) /* of all stacks: then only those are added up that are there */

/* Of a program that says anything: no sum of such times runs over. */
#define SAMPLE_NS_MAX (1000 * (uint64_t)LH_NS_PER_HOUR)

struct iteration {
    uint32_t tid; /* 0: free */
    uint64_t iteration_id;
    uint32_t count;
    struct lh_sample samples[STACKS];
};

struct lh_profile {
    unsigned next; /* the row that is given to another thread when all are taken */
    size_t bytes;
    struct iteration iterations[THREADS];
};

struct lh_profile *lh_profile_new(void)
{
    return calloc(1, sizeof(struct lh_profile));
}

static void forget(struct lh_profile *profile, struct iteration *iteration)
{
    for (uint32_t i = 0; i < iteration->count; i++) {
        const struct lh_sample *sample = &iteration->samples[i];
        profile->bytes -= lh_frames_bytes(sample->frames, sample->frame_count);
        free((void *)sample->frames);
    }
    iteration->count = 0;
    iteration->tid = 0;
}

void lh_profile_free(struct lh_profile *profile)
{
    if (profile == NULL)
        return;
    for (unsigned i = 0; i < THREADS; i++)
        forget(profile, &profile->iterations[i]);
    free(profile);
}

static struct iteration *find(struct lh_profile *profile, uint32_t tid)
{
    for (unsigned i = 0; i < THREADS; i++)
        if (profile->iterations[i].tid == tid)
            return &profile->iterations[i];
    return NULL;
}

static struct iteration *begin(struct lh_profile *profile, uint32_t tid, uint64_t iteration_id)
{
    struct iteration *iteration = find(profile, tid);
    if (iteration != NULL && iteration->iteration_id == iteration_id)
        return iteration;
    if (iteration == NULL)
        iteration = find(profile, 0);
    if (iteration == NULL)
        iteration = &profile->iterations[profile->next++ % THREADS];
    forget(profile, iteration);
    iteration->tid = tid;
    iteration->iteration_id = iteration_id;
    return iteration;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* `anywhere`: in a function that runs, one place is as good as another. */
static bool same_frame(const struct lh_frame *a, const struct lh_frame *b, bool anywhere)
{
    bool loose = anywhere && a->function != NULL;
    return a->lang == b->lang && (loose || (a->line == b->line && a->offset == b->offset)) &&
           same_text(a->function, b->function) && same_text(a->file, b->file) &&
           same_text(a->module, b->module);
}

/* How many frames, from the innermost on, are machine code below an interpreted line: the details
 * of what that line does. In a program of machine code alone that is the first one. */
static uint32_t details(const struct lh_frame *frames, uint32_t count)
{
    uint32_t i = 0;
    while (i < count && frames[i].lang == LH_LANG_NATIVE)
        i++;
    return i < count ? i : 1;
}

static bool same_stack(const struct lh_sample *sample, const struct lh_frame *frames,
                       uint32_t frame_count)
{
    if (sample->frame_count != frame_count)
        return false;
    uint32_t loose = details(frames, frame_count);
    for (uint32_t i = 0; i < frame_count; i++)
        if (!same_frame(&sample->frames[i], &frames[i], i < loose))
            return false;
    return true;
}

static uint32_t count_of(uint64_t ns)
{
    uint64_t samples = ns / LH_SAMPLE_NS;
    return samples == 0 ? 1 : samples > UINT32_MAX ? UINT32_MAX : (uint32_t)samples;
}

void lh_profile_add(struct lh_profile *profile, const struct lh_record *record,
                    const struct lh_frame *frames, uint32_t frame_count)
{
    struct iteration *iteration = begin(profile, record->tid, record->stall.iteration_id);
    uint32_t i = 0;
    while (i < iteration->count && !same_stack(&iteration->samples[i], frames, frame_count))
        i++;
    if (i == STACKS)
        return;
    struct lh_sample *sample = &iteration->samples[i];
    if (i == iteration->count) {
        size_t bytes = lh_frames_bytes(frames, frame_count);
        bool room = bytes <= BYTES_MAX - profile->bytes;
        const struct lh_frame *copy = room ? lh_frames_copy(frames, frame_count) : NULL;
        if (copy == NULL)
            return;
        profile->bytes += bytes;
        *sample = (struct lh_sample){.frames = copy, .frame_count = frame_count};
        iteration->count++;
    }
    uint64_t ns = record->elapsed_ns < SAMPLE_NS_MAX ? record->elapsed_ns : SAMPLE_NS_MAX;
    sample->ns += ns;
    sample->work_ns[lh_frames_work(frames, frame_count)] += ns;
    sample->count = count_of(sample->ns);
}

static int longest_first(const void *left, const void *right)
{
    const struct lh_sample *a = left;
    const struct lh_sample *b = right;
    return a->ns < b->ns ? 1 : a->ns > b->ns ? -1 : 0;
}

uint32_t lh_profile_take(struct lh_profile *profile, const struct lh_record *stall,
                         const struct lh_sample **samples)
{
    struct iteration *iteration = find(profile, stall->tid);
    *samples = NULL;
    if (iteration == NULL || iteration->iteration_id != stall->stall.iteration_id)
        return 0;
    qsort(iteration->samples, iteration->count, sizeof(iteration->samples[0]), longest_first);
    *samples = iteration->samples;
    return iteration->count;
}

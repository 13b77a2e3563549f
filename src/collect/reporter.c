/* Reports put together. See reporter.h. */
#include "collect/reporter.h"

#include <stdlib.h>
#include <time.h>

#include "collect/held.h"
#include "collect/holders.h"
#include "collect/profile.h"

#define NS_PER_S 1000000000LL

struct lh_reporter {
    struct lh_reporter_setup with;
    struct lh_profile *profile;
    struct lh_holders *holders;
    struct lh_held *held;
    struct lh_frame frames[LH_STACK_FRAMES_MAX];
};

struct lh_reporter *lh_reporter_new(const struct lh_reporter_setup *setup)
{
    struct lh_reporter *reporter = calloc(1, sizeof(*reporter));
    if (reporter == NULL)
        return NULL;
    reporter->with = *setup;
    reporter->profile = lh_profile_new();
    reporter->holders = lh_holders_new();
    reporter->held = lh_held_new();
    if (reporter->profile != NULL && reporter->holders != NULL && reporter->held != NULL)
        return reporter;
    lh_reporter_free(reporter);
    return NULL;
}

void lh_reporter_free(struct lh_reporter *reporter)
{
    if (reporter == NULL)
        return;
    lh_profile_free(reporter->profile);
    lh_holders_free(reporter->holders);
    lh_held_free(reporter->held);
    free(reporter);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Loops have no stack, and the stacks of a stall are its samples. */
static uint32_t build_stack(struct lh_reporter *reporter, const struct lh_record *record)
{
    uint32_t most = reporter->with.header->options.stack_frames;
    if (most == 0 || record->type == LH_EVENT_LOOP || record->type == LH_EVENT_STALL)
        return 0;
    uint32_t count = lh_stacks_build(reporter->with.stacks, record, reporter->frames, most);
    /* A shorter copy has all there was. */
    if (count > 0 && record->stack_length < reporter->with.header->options.stack_bytes)
        reporter->frames[count - 1].cut = false;
    return count;
}

static uint32_t tell(struct lh_reporter *reporter, const struct lh_record *record,
                     const struct lh_victims *victims)
{
    struct lh_report report = {.record = record,
                               .frames = reporter->frames,
                               .frame_count = build_stack(reporter, record),
                               .holder = lh_holders_find(reporter->holders, record),
                               .victims = victims};
    if (record->type == LH_EVENT_STALL)
        report.sample_count = lh_profile_take(reporter->profile, record, &report.samples);
    return lh_sink_report(reporter->with.sink, &report) != 0;
}

static uint32_t tell_held(struct lh_reporter *reporter, struct lh_held_report held,
                          const struct lh_record *counted)
{
    struct lh_victims victims = {0, false, 0};
    bool known = counted != NULL && counted->ready != LH_NOT_COUNTED;
    if (known)
        victims = (struct lh_victims){counted->ready, counted->ready_more != 0,
                                      counted->ready > 0 ? held.record->elapsed_ns : 0};
    uint32_t lost = tell(reporter, held.record, known ? &victims : NULL);
    free(held.record);
    return lost;
}

/* What is held of one thread goes out, with its victims where they are known. */
static uint32_t release_thread(struct lh_reporter *reporter, uint32_t tid,
                               const struct lh_record *counted)
{
    struct lh_held_report held;
    uint32_t lost = 0;
    while (tid != 0 && (held = lh_held_take(reporter->held, tid)).record != NULL)
        lost += tell_held(reporter, held, counted);
    return lost;
}

uint32_t lh_reporter_release(struct lh_reporter *reporter, bool all)
{
    int64_t now = all ? INT64_MAX : now_ns();
    uint32_t lost = 0;
    while (lh_held_oldest(reporter->held).record != NULL &&
           lh_held_oldest(reporter->held).until_ns <= now)
        lost += tell_held(reporter, lh_held_take(reporter->held, 0), NULL);
    return lost;
}

static uint32_t hold(struct lh_reporter *reporter, const struct lh_record *record,
                     uint64_t position)
{
    uint32_t lost = 0;
    if (lh_held_add(reporter->held, record, position, now_ns()))
        return 0;
    if (lh_held_oldest(reporter->held).record != NULL)
        lost = tell_held(reporter, lh_held_take(reporter->held, 0), NULL);
    if (lh_held_add(reporter->held, record, position, now_ns()))
        return lost;
    return lost + tell(reporter, record, NULL);
}

/* Samples of a later iteration take the place of those that a stall held back still needs. */
static uint32_t add_sample(struct lh_reporter *reporter, const struct lh_record *record)
{
    uint32_t lost = lh_held_has_stall(reporter->held, record->tid)
                        ? release_thread(reporter, record->tid, NULL)
                        : 0;
    uint32_t count = build_stack(reporter, record);
    lh_profile_add(reporter->profile, record, reporter->frames, count);
    return lost;
}

static uint32_t take(struct lh_reporter *reporter, const struct lh_record *checked,
                     uint64_t position)
{
    switch (checked->type) {
    case LH_EVENT_SAMPLE:
        return add_sample(reporter, checked);
    case LH_EVENT_HOLDER:
        lh_holders_add(reporter->holders, checked, reporter->frames,
                       build_stack(reporter, checked));
        return 0;
    case LH_EVENT_VICTIMS:
        return release_thread(reporter, checked->tid, checked);
    default:
        return checked->awaits_victims != 0 ? hold(reporter, checked, position)
                                            : tell(reporter, checked, NULL);
    }
}

uint64_t lh_reporter_told(const struct lh_reporter *reporter, uint64_t position)
{
    struct lh_held_report oldest = lh_held_oldest(reporter->held);
    return oldest.record != NULL ? oldest.position : position;
}

/* What is held counts as unread, and all behind it: that must not fill the ring. */
uint32_t lh_reporter_take(struct lh_reporter *reporter, const struct lh_record *checked,
                          uint64_t position)
{
    uint32_t lost = take(reporter, checked, position);
    while (position - lh_reporter_told(reporter, position) >= LH_RING_CELLS / 4)
        lost += tell_held(reporter, lh_held_take(reporter->held, 0), NULL);
    return lost;
}

int64_t lh_reporter_due_ns(const struct lh_reporter *reporter, int64_t most_ns)
{
    struct lh_held_report oldest = lh_held_oldest(reporter->held);
    int64_t due_ns = oldest.record != NULL ? oldest.until_ns - now_ns() : most_ns;
    return due_ns > most_ns ? most_ns : due_ns > 0 ? due_ns : 0;
}

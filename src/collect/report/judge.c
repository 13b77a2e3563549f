/* SPDX-License-Identifier: Apache-2.0 */
/* Judgement of reports. See judge.h. */
#include "collect/report/judge.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/report/facts.h"
#include "collect/report/new_place.h"
#include "collect/report/place_rule.h"

#define PLACES_MAX 65536u /* new ones that are remembered */

struct lh_judge {
    struct lh_rule_set rules;
    struct lh_rule_set baseline;
    pthread_mutex_t lock; /* for all below: threads of several rings judge */
    struct lh_verdict verdict;
    uint64_t *rule_uses;
    uint64_t *baseline_uses;
    uint32_t places_room;
};

/* What keeps a class of noise quiet, as rules: only they are told for which one with `!` asks. */
static const struct lh_rule noise_rules[] = {
#define NOISE(id, name, when, key, doc)                                                            \
    [LH_NOISE_##id] = {.text = {"noise:" name, sizeof("noise:" name) - 1},                         \
                       .reason = {doc, sizeof(doc) - 1},                                           \
                       .file = "LOOPHOUND_NOISE",                                                  \
                       .line = 1},
#include "noise.def"
};

static uint64_t *new_uses(uint32_t count)
{
    return calloc(count > 0 ? count : 1, sizeof(uint64_t));
}

static int load(struct lh_judge *judge, const struct lh_judge_setup *setup, struct lh_text *problem)
{
    struct lh_rule_set *rules = &judge->rules;
    int error = lh_rule_set_add_files(rules, setup->suppress, setup->cwd, setup->now, problem);
    int allow = lh_rule_set_add_text(rules, "LOOPHOUND_ALLOW", setup->allow, setup->now, problem);
    int baseline = 0;
    judge->verdict.has_baseline = setup->baseline[0] != '\0';
    if (judge->verdict.has_baseline && !setup->fresh_baseline)
        baseline = lh_rule_set_add_file(&judge->baseline, setup->baseline, setup->cwd, setup->now,
                                        problem);
    if (baseline != 0)
        judge->verdict.has_baseline = false;
    return error != 0 ? error : allow != 0 ? allow : baseline;
}

struct lh_judge *lh_judge_new(const struct lh_judge_setup *setup, struct lh_text *problem,
                              int *error)
{
    struct lh_judge *judge = calloc(1, sizeof(*judge));
    *error = -ENOMEM;
    if (judge == NULL)
        return NULL;
    pthread_mutex_init(&judge->lock, NULL);
    *error = load(judge, setup, problem);
    judge->rule_uses = new_uses(judge->rules.count);
    judge->baseline_uses = new_uses(judge->baseline.count);
    if (judge->rule_uses != NULL && judge->baseline_uses != NULL)
        return judge;
    lh_judge_free(judge);
    *error = -ENOMEM;
    return NULL;
}

void lh_judge_free(struct lh_judge *judge)
{
    if (judge == NULL)
        return;
    for (uint32_t i = 0; i < judge->verdict.new_count; i++)
        lh_new_place_free(judge->verdict.new_places[i]);
    free(judge->verdict.new_places);
    free(judge->rule_uses);
    free(judge->baseline_uses);
    lh_rule_set_free(&judge->rules);
    lh_rule_set_free(&judge->baseline);
    pthread_mutex_destroy(&judge->lock);
    free(judge);
}

struct lh_judged *lh_judged_new(const struct lh_judge *judge)
{
    size_t uses = ((size_t)judge->rules.count + judge->baseline.count) * sizeof(uint64_t);
    struct lh_judged *judged = calloc(1, sizeof(*judged) + uses);
    if (judged == NULL)
        return NULL;
    judged->quiet = (struct lh_quiet){.rules = judge->rules.rules,
                                      .uses = judged->uses,
                                      .rule_count = judge->rules.count,
                                      .has_baseline = judge->verdict.has_baseline};
    return judged;
}

void lh_judged_free(struct lh_judge *judge, struct lh_judged *judged)
{
    if (judged == NULL)
        return;
    pthread_mutex_lock(&judge->lock);
    for (uint32_t i = 0; i < judge->rules.count; i++)
        judge->rule_uses[i] += judged->uses[i];
    for (uint32_t i = 0; i < judge->baseline.count; i++)
        judge->baseline_uses[i] += judged->uses[judge->rules.count + i];
    pthread_mutex_unlock(&judge->lock);
    lh_rulings_free(&judged->rulings);
    free(judged);
}

/* Where this rule is, or should be, among the sorted ones. */
static uint32_t place_index(const struct lh_verdict *verdict, const char *rule, bool *found)
{
    uint32_t low = 0;
    uint32_t high = verdict->new_count;
    *found = false;
    while (low < high && !*found) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(rule, verdict->new_places[middle]->rule);
        *found = order == 0;
        if (order > 0)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

/* NULL: there are too many, or there is no memory. */
static struct lh_new_place *find_place(struct lh_judge *judge, const char *rule)
{
    struct lh_verdict *verdict = &judge->verdict;
    bool found;
    uint32_t index = place_index(verdict, rule, &found);
    if (found)
        return verdict->new_places[index];
    if (verdict->new_count == PLACES_MAX)
        return NULL;
    if (verdict->new_count == judge->places_room) {
        uint32_t room = judge->places_room > 0 ? 2 * judge->places_room : 64;
        struct lh_new_place **places =
            reallocarray(verdict->new_places, room, sizeof(struct lh_new_place *));
        if (places == NULL)
            return NULL;
        verdict->new_places = places;
        judge->places_room = room;
    }
    struct lh_new_place *place = lh_new_place_new(rule);
    if (place == NULL)
        return NULL;
    memmove(&verdict->new_places[index + 1], &verdict->new_places[index],
            (verdict->new_count - index) * sizeof(struct lh_new_place *));
    verdict->new_places[index] = place;
    verdict->new_count++;
    return place;
}

/* So many of one kind, which took so long in all; the longest of them is known only of one. */
struct amount {
    uint64_t count;
    uint64_t total_ns;
    uint64_t worst_ns;
};

static void tally(struct lh_tally *one, const struct amount *amount)
{
    one->count += amount->count;
    one->total_ns += amount->total_ns;
    one->worst_ns = amount->worst_ns > one->worst_ns ? amount->worst_ns : one->worst_ns;
}

/* With the lock. */
static void count_run(struct lh_verdict *verdict, const struct lh_ruling *ruling, bool call,
                      const struct amount *amount)
{
    if (ruling->suppressed)
        *(call ? &verdict->suppressed_blocks : &verdict->suppressed_stalls) += amount->count;
    else
        tally(&verdict->tallies[call ? ruling->group : LH_TALLY_STALLS], amount);
    if (ruling->known)
        *(call ? &verdict->known_blocks : &verdict->known_stalls) += amount->count;
}

/* The thread of one ring has them to itself. */
static void count_process(struct lh_judged *judged, const struct lh_ruling *ruling, bool call,
                          const struct amount *amount)
{
    struct lh_totals *out = &judged->left_out;
    if (ruling->known)
        judged->quiet.known += amount->count;
    if (!ruling->suppressed)
        return;
    judged->quiet.suppressed += amount->count;
    atomic_fetch_add(call ? &out->blocks : &out->stalls, amount->count);
    atomic_fetch_add(call ? &out->blocked_ns : &out->stalled_ns, amount->total_ns);
    if (!call)
        return;
    atomic_fetch_add(&out->by_call[ruling->call].count, amount->count);
    atomic_fetch_add(&out->by_call[ruling->call].total_ns, amount->total_ns);
}

/* Behind what the library has counted as noise itself. */
static void count_noise(struct lh_judged *judged, const struct lh_ruling *ruling,
                        const struct amount *amount)
{
    struct lh_totals *out = &judged->left_out;
    atomic_fetch_add(&judged->noise[ruling->noise], amount->count);
    atomic_fetch_add(&out->blocks, amount->count);
    atomic_fetch_add(&out->blocked_ns, amount->total_ns);
    atomic_fetch_add(&out->by_call[ruling->call].count, amount->count);
    atomic_fetch_add(&out->by_call[ruling->call].total_ns, amount->total_ns);
}

static void count(struct lh_judge *judge, struct lh_judged *judged, const struct lh_ruling *ruling,
                  bool call, const struct amount *amount)
{
    if (ruling->noise != LH_NOISE_NONE) {
        count_noise(judged, ruling, amount);
        return;
    }
    count_process(judged, ruling, call, amount);
    pthread_mutex_lock(&judge->lock);
    count_run(&judge->verdict, ruling, call, amount);
    pthread_mutex_unlock(&judge->lock);
}

/* A place that is in no baseline; NULL: it has no place, or is not remembered. */
static struct lh_new_place *note_new(struct lh_judge *judge, const struct lh_facts *facts,
                                     const struct lh_report *report, const char *cwd)
{
    char rule[LH_PLACE_RULE_BYTES];
    struct lh_new_place *place = NULL;
    bool has_place = lh_place_rule(&facts->of, cwd, rule);
    pthread_mutex_lock(&judge->lock);
    if (has_place)
        place = find_place(judge, rule);
    else
        judge->verdict.placeless++;
    if (place != NULL)
        lh_new_place_note(place, &facts->of, report, cwd);
    pthread_mutex_unlock(&judge->lock);
    return place;
}

static void note_ended(struct lh_judge *judge, struct lh_judged *judged,
                       const struct lh_report *report, enum lh_noise noise,
                       struct lh_new_place *place)
{
    const struct lh_record *record = report->record;
    const struct lh_ruling ruling = {.id = record->id,
                                     .call = record->call,
                                     .group = record->group,
                                     .suppressed = report->suppressed != NULL,
                                     .known = report->known == LH_PLACE_KNOWN,
                                     .noise = noise,
                                     .place = place};
    const struct amount amount = {1, record->elapsed_ns, record->elapsed_ns};
    count(judge, judged, &ruling, record->type == LH_EVENT_BLOCK, &amount);
    if (record->reason == LH_REASON_STRICT)
        lh_rulings_add(&judged->rulings, &ruling);
}

/* Of the run, once a place was met again. */
static void count_again(struct lh_judge *judge, struct lh_new_place *place,
                        const struct amount *amount)
{
    if (place == NULL)
        return;
    pthread_mutex_lock(&judge->lock);
    place->count += amount->count;
    place->total_ns += amount->total_ns;
    pthread_mutex_unlock(&judge->lock);
}

bool lh_judge_repeat(struct lh_judge *judge, struct lh_judged *judged, uint64_t id, uint64_t again,
                     uint64_t elapsed_ns)
{
    const struct lh_ruling *ruling = lh_rulings_find(&judged->rulings, id);
    const struct amount amount = {again, elapsed_ns, 0};
    if (ruling == NULL)
        return true;
    count(judge, judged, ruling, true, &amount);
    count_again(judge, ruling->place, &amount);
    return ruling->noise == LH_NOISE_NONE;
}

/* What the library has told although it is noise, which it could not know, and no rule wants. */
static bool is_noise(const struct lh_judge *judge, const struct lh_report *report,
                     const struct lh_facts *facts)
{
    return report->noise_is_on && report->record->noise == LH_NOISE_NONE &&
           !lh_rule_set_wants(&judge->rules, &facts->of);
}

/* Uses are counted of what has ended: what goes on is looked at again and again. */
bool lh_judge_take(struct lh_judge *judge, struct lh_judged *judged, struct lh_report *report,
                   uint32_t main_tid, const char *cwd)
{
    struct lh_facts facts;
    bool ends = lh_event_ends(report->record->type);
    uint64_t *uses = ends ? judged->uses : NULL;
    uint64_t *baseline_uses = ends ? judged->uses + judge->rules.count : NULL;
    lh_facts_take(&facts, report, main_tid);
    if (is_noise(judge, report, &facts)) {
        if (ends)
            note_ended(judge, judged, report, report->noise, NULL);
        return false;
    }
    report->suppressed = lh_rule_set_find(&judge->rules, &facts.of, uses);
    if (report->suppressed == NULL && report->noise_is_on &&
        !lh_rule_set_wants(&judge->rules, &facts.of))
        report->suppressed = &noise_rules[report->noise];
    if (report->suppressed == NULL && judge->verdict.has_baseline)
        report->known = lh_rule_set_find(&judge->baseline, &facts.of, baseline_uses) != NULL
                            ? LH_PLACE_KNOWN
                            : LH_PLACE_NEW;
    if (!ends)
        return true;
    bool is_new = report->known == LH_PLACE_NEW;
    note_ended(judge, judged, report, LH_NOISE_NONE,
               is_new ? note_new(judge, &facts, report, cwd) : NULL);
    return true;
}

static void take_off(_Atomic uint64_t *from, const _Atomic uint64_t *less)
{
    uint64_t all = atomic_load(from);
    uint64_t off = atomic_load(less);
    atomic_store(from, all > off ? all - off : 0);
}

void lh_judged_leave_out(const struct lh_judged *judged, struct lh_totals *totals)
{
    const struct lh_totals *out = &judged->left_out;
    take_off(&totals->blocks, &out->blocks);
    take_off(&totals->stalls, &out->stalls);
    take_off(&totals->blocked_ns, &out->blocked_ns);
    take_off(&totals->stalled_ns, &out->stalled_ns);
    for (int noise = LH_NOISE_NONE + 1; noise < LH_NOISE_COUNT; noise++)
        atomic_fetch_add(&totals->quiet[noise], atomic_load(&judged->noise[noise]));
    for (uint32_t call = 0; call < LH_CALLS_MAX; call++) {
        take_off(&totals->by_call[call].count, &out->by_call[call].count);
        take_off(&totals->by_call[call].total_ns, &out->by_call[call].total_ns);
    }
}

void lh_judge_verdict(struct lh_judge *judge, struct lh_verdict *verdict)
{
    pthread_mutex_lock(&judge->lock);
    *verdict = judge->verdict;
    pthread_mutex_unlock(&judge->lock);
    verdict->rules = &judge->rules;
    verdict->baseline = &judge->baseline;
    verdict->rule_uses = judge->rule_uses;
    verdict->baseline_uses = judge->baseline_uses;
}

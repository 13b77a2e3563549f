/* SPDX-License-Identifier: Apache-2.0 */
/* Advice. Runs on the threads of the rings. See advice.h. */
#include "collect/report/advice.h"

#include <string.h>

#include "collect/stack/frame_kind.h"
#include "collect/stack/frame_package.h"
#include "common/calls.h"
#include "common/event_awaited.h"
#include "common/qualified_name.h"
#include "common/text.h"

#define KEY_BYTES   1024
#define WHAT_BYTES  64
#define WHATS_MAX   4
#define PLACEHOLDER "{library}"

/* A loop has a bit, and so may have two: trio can be a guest of asyncio. */
enum loop {
#define LOOP(name, names, example) LOOP_##name,
#include "advice.def"
    LOOP_COUNT,
    LOOP_ANY = LOOP_COUNT
};

static const char *const loop_names[LOOP_COUNT] = {
#define LOOP(name, names, example) [LOOP_##name] = names,
#include "advice.def"
};

enum where { WHERE_API, WHERE_INSIDE, WHERE_STACK, WHERE_LIBRARY, WHERE_ANY };

static const struct row {
    enum lh_lang lang;
    enum loop loop;
    const char *calls;
    enum where where;
    const char *names;
    const char *rule;
    const char *text;
} rows[] = {
#define ADVICE(lang, loop, calls, where, names, rule, text, call, example)                         \
    {LH_LANG_##lang, LOOP_##loop, calls, WHERE_##where, names, rule, text},
#include "advice.def"
};

/* What the rows look at, of one report. */
struct facts {
    const struct lh_frame *frames;
    uint32_t count;
    uint32_t place;
    bool has_user;  /* the place is the user's own code */
    uint32_t loops; /* bits: enum loop */
    bool is_call;
    uint32_t what_count;
    char whats[WHATS_MAX][WHAT_BYTES];
};

static void add_what(struct facts *facts, const char *prefix, const char *what)
{
    struct lh_text text;
    lh_text_init(&text, facts->whats[facts->what_count++], WHAT_BYTES);
    lh_text_string(&text, prefix);
    lh_text_string(&text, what);
}

/* Read and write on descriptor 0, whatever that is. */
static bool is_on_stdin(const struct lh_record *record)
{
    return record->resource.fd == 0 && (record->resource.kind == LH_RESOURCE_FILE ||
                                        record->resource.kind == LH_RESOURCE_SOCKET);
}

/* select() without descriptors is how CPython slept until 3.10. */
static bool is_sleep(const struct lh_record *record)
{
    return record->group == LH_GROUP_WAIT && record->resource.kind == LH_RESOURCE_DURATION &&
           strcmp(lh_call_info(record->call)->canonical, "select") == 0;
}

static void take_call(struct facts *facts, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    facts->is_call = true;
    if (is_on_stdin(record)) {
        const char *source = facts->frames[facts->place].source;
        add_what(facts, "", source != NULL && strstr(source, "input(") != NULL ? "input" : "stdin");
        return;
    }
    add_what(facts, "", lh_call_info(record->call)->canonical);
    add_what(facts, "@", is_sleep(record) ? "sleep" : lh_group_name((enum lh_group)record->group));
    if (report->waits_for != NULL)
        add_what(facts, report->waits_for->is_own ? "own " : "",
                 lh_awaited_name(report->waits_for->kind));
}

static const char *largest_call(const struct lh_stall *stall)
{
    uint32_t largest = 0;
    for (uint32_t i = 1; i < stall->call_count; i++)
        if (stall->calls[i].total_ns > stall->calls[largest].total_ns)
            largest = i;
    return lh_call_info(stall->calls[largest].call)->canonical;
}

static bool is_half(uint64_t part_ns, uint64_t all_ns)
{
    return part_ns != LH_UNKNOWN && part_ns > 0 && part_ns >= all_ns / 2;
}

/* Most of what it did was to run, for long enough to be a stall by that alone: on a busy machine it
 * may have waited longer for a processor. */
static bool is_computing(const struct lh_report *report)
{
    const struct lh_stall *stall = &report->record->stall;
    uint64_t elapsed_ns = report->record->elapsed_ns;
    uint64_t waited_ns = stall->runqueue_ns < elapsed_ns ? stall->runqueue_ns : 0;
    return is_half(stall->oncpu_ns, elapsed_ns - waited_ns) &&
           (is_half(stall->oncpu_ns, elapsed_ns) || stall->oncpu_ns >= report->threshold_ns);
}

/* Where half of it went. Of its calls no group is told: those may have been unable to wait. */
static void take_stall(struct facts *facts, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    const struct lh_stall *stall = &record->stall;
    if (report->group_count > 0 &&
        is_half(lh_work_collecting_ns(report->groups[0].work_ns), report->groups[0].ns)) {
        add_what(facts, "", "collecting");
        add_what(facts, "", "computing");
    } else if (is_computing(report)) {
        add_what(facts, "", "computing");
    } else if (is_half(stall->blocked_ns, record->elapsed_ns) && stall->call_count > 0) {
        facts->is_call = true;
        add_what(facts, "", largest_call(stall));
    }
}

static void take_whats(struct facts *facts, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    if (record->type == LH_EVENT_BLOCK || record->type == LH_EVENT_INFLIGHT)
        take_call(facts, report);
    else if (record->type == LH_EVENT_STALL)
        take_stall(facts, report);
    else if (record->type == LH_EVENT_STALLING && record->system_call < 0 &&
             record->waits_for_gil == 0) {
        if (lh_work_collects(report->work))
            add_what(facts, "", "collecting");
        add_what(facts, "", "computing");
    }
}

static void put_key(char key[KEY_BYTES], const struct lh_frame *frame)
{
    char qualified[LH_QUALIFIED_BYTES];
    struct lh_text text;
    bool native = frame->lang == LH_LANG_NATIVE;
    const char *path = native ? frame->module : frame->file;
    const char *function = frame->function;
    lh_text_init(&text, key, KEY_BYTES);
    if (path != NULL) {
        const char *inside = lh_inside_packages(path);
        lh_text_string(&text, inside != NULL ? inside : native ? lh_base_name(path) : path);
    }
    lh_text_char(&text, ':');
    if (native && function != NULL) {
        lh_qualified_name(function, qualified);
        function = qualified;
    }
    if (function != NULL)
        lh_text_string(&text, function);
}

static bool is_named(const char *names, const struct lh_frame *frame)
{
    char key[KEY_BYTES];
    put_key(key, frame);
    return lh_glob_list_match(names, key);
}

static uint32_t find_loops(const struct lh_frame *frames, uint32_t count)
{
    char key[KEY_BYTES];
    uint32_t loops = 0;
    for (uint32_t i = 0; i < count; i++) {
        put_key(key, &frames[i]);
        for (uint32_t loop = 0; loop < LOOP_COUNT; loop++)
            if (lh_glob_list_match(loop_names[loop], key))
                loops |= 1u << loop;
    }
    return loops;
}

static void take_loops(struct facts *facts, const struct lh_report *report,
                       struct lh_advice_stacks *stacks)
{
    const struct lh_python_task *task = &report->record->task;
    uint64_t number = facts->frames == report->frames ? report->stack_number : 0;
    uint32_t at = number & (LH_ADVICE_STACKS - 1);
    if (number == 0) {
        facts->loops = find_loops(facts->frames, facts->count);
    } else {
        if (stacks->known[at].number != number)
            stacks->known[at].loops = find_loops(facts->frames, facts->count);
        stacks->known[at].number = number;
        facts->loops = stacks->known[at].loops;
    }
    if (task->has_name || task->has_coroutine)
        facts->loops |= 1u << LOOP_ASYNCIO;
}

static bool is_module_body(const struct lh_frame *frame)
{
    return frame->lang == LH_LANG_PYTHON && frame->function != NULL &&
           strcmp(frame->function, "<module>") == 0;
}

/* False: there is nothing that rows could look at. What a module of Python does while it is
 * imported is no coroutine's, and can await nothing. */
static bool take_facts(struct facts *facts, const struct lh_report *report,
                       struct lh_advice_stacks *stacks)
{
    bool grouped = report->group_count > 0;
    *facts = (struct facts){.frames = grouped ? report->groups[0].frames : report->frames,
                            .count = grouped ? report->groups[0].frame_count : report->frame_count};
    if (facts->count == 0)
        return false;
    facts->has_user = lh_first_of_user(facts->frames, facts->count) < facts->count;
    facts->place = lh_place_of(facts->frames, facts->count);
    take_whats(facts, report);
    if (facts->what_count == 0 || is_module_body(&facts->frames[facts->place]))
        return false;
    take_loops(facts, report, stacks);
    return true;
}

static bool is_about(const struct row *row, const struct facts *facts)
{
    if (row->lang != facts->frames[facts->place].lang ||
        (row->loop != LOOP_ANY && (facts->loops & 1u << row->loop) == 0))
        return false;
    for (uint32_t i = 0; i < facts->what_count; i++)
        if (lh_glob_list_match(row->calls, facts->whats[i]))
            return facts->is_call || strcmp(row->calls, "*") != 0;
    return false;
}

static const struct lh_frame *find_in(const char *names, const struct facts *facts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_named(names, &facts->frames[i]))
            return &facts->frames[i];
    return NULL;
}

/* What its modules do while they are imported is not its doing. */
static bool is_installed(const struct lh_frame *frame)
{
    return !is_module_body(frame) && frame->lang == LH_LANG_PYTHON && frame->library != NULL &&
           frame->file != NULL &&
           (strstr(frame->file, "/site-packages/") != NULL ||
            strstr(frame->file, "/dist-packages/") != NULL);
}

/* From this installed frame on, outwards, as far as they are of the same library. */
static const struct lh_frame *find_in_library(const char *names, const struct facts *facts,
                                              uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++) {
        const struct lh_frame *frame = &facts->frames[i];
        if (!is_installed(frame))
            continue;
        if (strcmp(frame->library, facts->frames[first].library) != 0)
            return NULL;
        if (is_named(names, frame))
            return frame;
    }
    return NULL;
}

/* Who blocks is the innermost one: a package may have called another. */
static const struct lh_frame *find_library(const char *names, const struct facts *facts)
{
    uint32_t end = facts->has_user ? facts->place : facts->count;
    uint32_t first = 0;
    while (first < end && !is_installed(&facts->frames[first]))
        first++;
    return first < end ? find_in_library(names, facts, first, end) : NULL;
}

static const struct lh_frame *find_api(const char *names, const struct facts *facts)
{
    static const struct lh_frame nothing = {.lang = LH_LANG_NATIVE};
    uint32_t api = lh_api_of(facts->frames, facts->count, facts->place);
    if (api == facts->count)
        return lh_glob_list_match(names, "") ? &nothing : NULL;
    return is_named(names, &facts->frames[api]) ? &facts->frames[api] : NULL;
}

/* The frame that makes this row hold; NULL: it does not. */
static const struct lh_frame *find(const struct row *row, const struct facts *facts)
{
    if (row->where == WHERE_STACK)
        return find_in(row->names, facts, facts->count);
    if (row->where == WHERE_LIBRARY)
        return find_library(row->names, facts);
    if (!facts->has_user)
        return NULL;
    if (row->where == WHERE_ANY)
        return &facts->frames[facts->place];
    return row->where == WHERE_INSIDE ? find_in(row->names, facts, facts->place)
                                      : find_api(row->names, facts);
}

/* False: the library is not known, which the sentence is about. */
static bool put_text(char room[LH_ADVICE_BYTES], const char *sentence, const struct lh_frame *frame)
{
    struct lh_text text;
    const char *gap = strstr(sentence, PLACEHOLDER);
    lh_text_init(&text, room, LH_ADVICE_BYTES);
    if (gap == NULL) {
        lh_text_string(&text, sentence);
        return true;
    }
    for (const char *at = sentence; at < gap; at++)
        lh_text_char(&text, *at);
    lh_text_string(&text, frame->library != NULL ? frame->library : "");
    if (frame->version != NULL) {
        lh_text_char(&text, ' ');
        lh_text_string(&text, frame->version);
    }
    lh_text_string(&text, gap + sizeof(PLACEHOLDER) - 1);
    return frame->library != NULL;
}

bool lh_advice_find(const struct lh_report *report, struct lh_advice_stacks *stacks,
                    struct lh_advice *advice, char room[LH_ADVICE_BYTES])
{
    struct facts facts;
    if (!take_facts(&facts, report, stacks))
        return false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct lh_frame *frame = is_about(&rows[i], &facts) ? find(&rows[i], &facts) : NULL;
        if (frame == NULL || !put_text(room, rows[i].text, frame))
            continue;
        *advice = (struct lh_advice){.rule = rows[i].rule, .text = room};
        return true;
    }
    return false;
}

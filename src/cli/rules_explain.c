/* SPDX-License-Identifier: Apache-2.0 */
/* loophound rules --explain: what rules would have done with reports that are there. Main thread.
 *
 * The file may come from anywhere: what has the wrong type counts as not there. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "cli/report_read.h"
#include "cli/rules.h"
#include "collect/report/facts.h"
#include "collect/sink/text_parts.h"
#include "common/units.h"

#define WHAT_BYTES 512
#define MS_MOST    (1e3 * 3600 * 24 * 365 * 100)

/* Reports that are alike, and what becomes of them. */
struct fate {
    uint64_t count;
    char *what; /* and the key */
};

struct explanation {
    const struct lh_rule_set *set;
    uint64_t *uses;
    struct lh_symbol_files *files;
    struct lh_book *book;
    json_t *index; /* what: the number of its fate */
    struct fate *fates;
    size_t count;
    uint64_t reports;
    uint64_t quiet;
    char cwd[PATH_MAX];
};

static const char *phase_of(const json_t *event)
{
    return lh_string_of(json_object_get(event, "labels"), "phase");
}

static uint64_t duration_of(const json_t *event)
{
    double ms = json_number_value(json_object_get(event, "duration_ms"));
    return ms > 0 && ms < MS_MOST ? (uint64_t)(ms * LH_NS_PER_MS) : 0;
}

/* The stack that is shown first: of a stall that of its heaviest group. */
static const json_t *stack_of(const json_t *event)
{
    const json_t *stack = json_object_get(event, "stack");
    if (stack != NULL)
        return stack;
    return json_object_get(json_array_get(json_object_get(event, "groups"), 0), "stack");
}

static void take_resource(struct lh_rule_facts *facts, const json_t *resource)
{
    bool socket = json_string_length(json_object_get(resource, "kind")) > 0 &&
                  strcmp(lh_string_of(resource, "kind"), "socket") == 0;
    facts->path = lh_string_of(resource, "path");
    facts->peer = lh_string_of(resource, "peer");
    facts->host = lh_string_of(resource, "host");
    if (!json_is_integer(json_object_get(resource, "fd")))
        return;
    facts->fd = socket ? "socket" : facts->path != NULL ? lh_facts_descriptor(facts->path) : NULL;
}

/* As lh_facts_take(), of an event that was written. */
static void take_facts(struct lh_rule_facts *facts, const json_t *event,
                       struct lh_frame frames[LH_STACK_FRAMES_MAX])
{
    const json_t *task = json_object_get(event, "task");
    const char *call = lh_string_of(event, "call");
    *facts =
        (struct lh_rule_facts){.call = call,
                               .group = lh_string_of(event, "group"),
                               .type = call != NULL ? "block" : "stall",
                               .thread = lh_string_of(event, "thread"),
                               .task = lh_string_of(task, "name"),
                               .coroutine = lh_string_of(task, "coroutine"),
                               .callback = lh_string_of(task, "callback"),
                               .test = lh_string_of(event, "test"),
                               .phase = phase_of(event),
                               .noise = lh_string_of(event, "noise"),
                               .duration_ns = duration_of(event),
                               .main_thread = json_integer_value(json_object_get(event, "pid")) ==
                                              json_integer_value(json_object_get(event, "tid"))};
    take_resource(facts, json_object_get(event, "resource"));
    uint32_t count = lh_stack_frames(stack_of(event), frames);
    lh_facts_place(facts, frames, count);
    facts->place = lh_marked_place(frames, count);
}

/* The class that would keep it quiet, as the option that switches it on. */
static void put_class(struct lh_text *what, const char *noise)
{
    if (noise == NULL)
        return;
    lh_text_string(what, "  --noise +");
    lh_text_clean(what, noise, strlen(noise));
}

static void put_fate(struct lh_text *what, const struct lh_rule_set *set,
                     const struct lh_rule_facts *facts, const struct lh_rule *quiet)
{
    const struct lh_rule *rule = quiet;
    for (uint32_t i = 0; rule == NULL && i < set->count; i++)
        if (set->rules[i].always && lh_rule_matches(&set->rules[i], facts))
            rule = &set->rules[i];
    lh_text_string(what, quiet != NULL ? "quiet   " : "reported");
    if (rule == NULL) {
        put_class(what, facts->noise);
        return;
    }
    lh_text_format(what, "  %s:%" PRIu32 ": ", rule->file, rule->line);
    lh_text_clean(what, rule->text.text, rule->text.length);
}

static void put_where(struct lh_text *what, const struct lh_rule_facts *facts, const char *cwd)
{
    const char *call = facts->call != NULL ? facts->call : "stall";
    lh_text_clean(what, call, strlen(call));
    lh_text_string(what, "  ");
    if (facts->place < facts->frame_count)
        lh_text_where(what, &facts->frames[facts->place], cwd);
    else
        lh_text_char(what, '?');
}

static void count_fate(struct explanation *explanation, const char *what)
{
    json_t *number = json_object_get(explanation->index, what);
    if (number != NULL) {
        explanation->fates[json_integer_value(number)].count++;
        return;
    }
    struct fate *fates = reallocarray(explanation->fates, explanation->count + 1, sizeof(*fates));
    if (fates == NULL)
        return;
    explanation->fates = fates;
    fates[explanation->count] = (struct fate){1, strdup(what)};
    if (fates[explanation->count].what == NULL)
        return;
    json_object_set_new_nocheck(explanation->index, what,
                                json_integer((json_int_t)explanation->count));
    explanation->count++;
}

static void explain_event(struct explanation *explanation, json_t *event)
{
    static struct lh_frame frames[LH_STACK_FRAMES_MAX];
    struct lh_rule_facts facts;
    char buf[WHAT_BYTES];
    struct lh_text what;
    const char *type = lh_string_of(event, "type");
    if (type == NULL || (strcmp(type, "block") != 0 && strcmp(type, "stall") != 0))
        return;
    lh_book_put_stacks(explanation->book, event);
    lh_complete_stacks(event, explanation->files);
    take_facts(&facts, event, frames);
    const struct lh_rule *quiet = lh_rule_set_find(explanation->set, &facts, explanation->uses);
    explanation->reports++;
    explanation->quiet += quiet != NULL;
    lh_text_init(&what, buf, sizeof(buf));
    put_fate(&what, explanation->set, &facts, quiet);
    lh_text_string(&what, "  ");
    put_where(&what, &facts, explanation->cwd);
    count_fate(explanation, buf);
}

static void take_line(void *context, json_t *line)
{
    struct explanation *explanation = context;
    if (!lh_book_take(explanation->book, line))
        explain_event(explanation, line);
}

static int by_count(const void *left, const void *right)
{
    const struct fate *a = left;
    const struct fate *b = right;
    return a->count != b->count ? (a->count < b->count) - (a->count > b->count)
                                : strcmp(a->what, b->what);
}

static void print(struct explanation *explanation)
{
    if (explanation->count > 0)
        qsort(explanation->fates, explanation->count, sizeof(*explanation->fates), by_count);
    for (size_t i = 0; i < explanation->count; i++)
        printf("%8" PRIu64 "  %s\n", explanation->fates[i].count, explanation->fates[i].what);
    for (uint32_t i = 0; i < explanation->set->count; i++) {
        const struct lh_rule *rule = &explanation->set->rules[i];
        if (explanation->uses[i] == 0)
            printf("%s:%" PRIu32 ": matches nothing: %.*s\n", rule->file, rule->line,
                   (int)rule->text.length, rule->text.text);
    }
    printf("%" PRIu64 " report%s, %" PRIu64 " quiet\n", explanation->reports,
           explanation->reports == 1 ? "" : "s", explanation->quiet);
}

static int explain(struct explanation *explanation, const char *name)
{
    static const char *const none[] = {NULL};
    explanation->uses = calloc(explanation->set->count + 1, sizeof(uint64_t));
    explanation->files = lh_symbol_files_new(none);
    explanation->book = lh_book_new(explanation->files);
    explanation->index = json_object();
    if (explanation->uses == NULL || explanation->files == NULL || explanation->book == NULL ||
        explanation->index == NULL) {
        fputs("loophound: out of memory; nothing read\n", stderr);
        return LH_EXIT_FAILED;
    }
    int status = lh_read_lines(&name, 1, take_line, explanation);
    if (status == 0)
        print(explanation);
    return status;
}

int lh_rules_explain(const char *events, const struct lh_rule_set *set)
{
    struct explanation explanation = {.set = set};
    if (getcwd(explanation.cwd, sizeof(explanation.cwd)) == NULL)
        explanation.cwd[0] = '\0';
    int status = explain(&explanation, events);
    for (size_t i = 0; i < explanation.count; i++)
        free(explanation.fates[i].what);
    free(explanation.fates);
    free(explanation.uses);
    json_decref(explanation.index);
    lh_book_free(explanation.book);
    lh_symbol_files_free(explanation.files);
    return status;
}

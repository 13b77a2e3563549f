/* SPDX-License-Identifier: Apache-2.0 */
/* Facts for rules. See facts.h. */
#include "collect/report/facts.h"

#include <stddef.h>
#include <string.h>

#include "collect/stack/frame_kind.h"
#include "common/peer_text.h"

#define PHASE "phase" /* the label that the condition of this name asks about */

/* Not the language's own modules, nor what it runs on. */
static bool is_outside(const struct lh_frame *frame)
{
    if (frame->lang == LH_LANG_PYTHON)
        return frame->file != NULL && !lh_is_standard_python(frame->file);
    switch (lh_frame_kind_of(frame)) {
    case LH_FRAME_USER:
    case LH_FRAME_OWN_NATIVE:
    case LH_FRAME_NATIVE:
        return true;
    case LH_FRAME_LIBRARY: /* of JavaScript what was installed, of machine code the standard ones */
        return frame->lang == LH_LANG_JIT;
    default:
        return false;
    }
}

/* In a program of Python or JavaScript the machine code below its functions is theirs. */
static uint32_t find_at(const struct lh_frame *frames, uint32_t count)
{
    uint32_t native = count;
    for (uint32_t i = 0; i < count; i++) {
        bool outside = is_outside(&frames[i]);
        if (outside && lh_frame_is_script(&frames[i]))
            return i;
        if (outside && native == count)
            native = i;
    }
    return native;
}

void lh_facts_place(struct lh_rule_facts *facts, const struct lh_frame *frames, uint32_t count)
{
    facts->frames = frames;
    facts->frame_count = count;
    facts->at = find_at(frames, count);
    facts->place = lh_place_of(frames, count);
}

const char *lh_facts_descriptor(const char *name)
{
    static const struct {
        const char *begin;
        const char *kind;
    } kinds[] = {{"/dev/pts/", "tty"},  {"/dev/tty", "tty"},    {"/dev/console", "tty"},
                 {"/dev/", "device"},   {"/", "file"},          {"pipe:", "pipe"},
                 {"socket:", "socket"}, {"anon_inode:", "anon"}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (lh_starts_with(name, kinds[i].begin))
            return kinds[i].kind;
    return NULL;
}

static void take_resource(struct lh_facts *facts, const struct lh_resource *resource)
{
    struct lh_rule_facts *of = &facts->of;
    bool socket = resource->kind == LH_RESOURCE_SOCKET;
    if (socket && lh_peer_text(resource, facts->peer, sizeof(facts->peer)))
        of->peer = facts->peer;
    if (resource->kind == LH_RESOURCE_FILE || resource->kind == LH_RESOURCE_NAME) {
        memcpy(facts->text, resource->text, resource->length);
        facts->text[resource->length] = '\0';
        if (resource->length > 0)
            *(resource->kind == LH_RESOURCE_FILE ? &of->path : &of->host) = facts->text;
    }
    if (resource->fd >= 0)
        of->fd = socket ? "socket" : of->path != NULL ? lh_facts_descriptor(of->path) : NULL;
}

/* Strings, one behind the other: the test, then keys and values. */
static void take_tags(struct lh_rule_facts *of, const struct lh_tags *tags)
{
    const char *string = tags->text;
    if (tags->has_test) {
        of->test = string;
        string += strlen(string) + 1;
    }
    for (uint32_t i = 0; i < tags->label_count; i++) {
        const char *value = string + strlen(string) + 1;
        if (strcmp(string, PHASE) == 0)
            of->phase = value;
        string = value + strlen(value) + 1;
    }
}

void lh_facts_take(struct lh_facts *facts, const struct lh_report *report, uint32_t main_tid)
{
    const struct lh_record *record = report->record;
    struct lh_rule_facts *of = &facts->of;
    bool call = record->type == LH_EVENT_BLOCK || record->type == LH_EVENT_INFLIGHT;
    *of = (struct lh_rule_facts){.type = call ? "block" : "stall",
                                 .duration_ns = record->elapsed_ns,
                                 .main_thread = record->tid == main_tid,
                                 .thread = facts->thread,
                                 .callback = report->callback};
    memcpy(facts->thread, record->thread, sizeof(record->thread));
    facts->thread[sizeof(record->thread)] = '\0';
    if (call) {
        of->call = lh_call_info(record->call)->canonical;
        of->symbol = lh_call_info(record->call)->symbol;
        of->group = lh_group_name((enum lh_group)record->group);
    }
    if (record->task.has_name)
        of->task = record->strings + record->task.name;
    if (record->task.has_coroutine)
        of->coroutine = record->strings + record->task.coroutine;
    of->noise = report->noise != LH_NOISE_NONE ? lh_noise_name(report->noise) : NULL;
    take_resource(facts, &record->resource);
    take_tags(of, &record->tags);
    if (report->group_count > 0)
        lh_facts_place(of, report->groups[0].frames, report->groups[0].frame_count);
    else
        lh_facts_place(of, report->frames, report->frame_count);
}

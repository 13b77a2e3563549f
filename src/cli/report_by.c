/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by place, call, peer and so on. See report.h. */
#include "cli/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collect/report/fingerprint.h"
#include "collect/sink/text_parts.h"

static const char *call_of(const json_t *event)
{
    const char *call = lh_string_of(event, "call");
    return call != NULL ? call : "stall";
}

/* The other end: of a socket, a name that was looked up, a child. */
static const char *peer_of(const json_t *event)
{
    static const char *const members[] = {"peer", "host", "command"};
    const json_t *resource = json_object_get(event, "resource");
    const char *peer = NULL;
    for (size_t i = 0; peer == NULL && i < sizeof(members) / sizeof(members[0]); i++)
        peer = lh_string_of(resource, members[i]);
    return peer != NULL ? peer : lh_string_of(json_object_get(resource, "child"), "command");
}

/* A task's name is a number mostly; its function says more. */
static const char *task_of(const json_t *event)
{
    const json_t *task = json_object_get(event, "task");
    const char *coroutine = lh_string_of(task, "coroutine");
    return coroutine != NULL ? coroutine : lh_string_of(task, "name");
}

static const char *thread_of(const json_t *event)
{
    return lh_string_of(event, "thread");
}

static const char *test_of(const json_t *event)
{
    return lh_string_of(event, "test");
}

const struct lh_by lh_by_loose_place = {"place", "WHERE", NULL, true};

const struct lh_by *lh_by_find(const char *word)
{
    static const struct lh_by all[] = {
        {"place", "WHERE", NULL, false},        {"call", "CALL", call_of, false},
        {"peer", "PEER", peer_of, false},       {"task", "TASK", task_of, false},
        {"thread", "THREAD", thread_of, false}, {"test", "TEST", test_of, false},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (strcmp(all[i].word, word) == 0)
            return &all[i];
    return NULL;
}

static void put_clean(struct lh_text *text, const char *string)
{
    lh_text_clean(text, string, strlen(string));
}

static void put_what(const json_t *event, struct lh_row *row)
{
    struct lh_text what;
    const char *type = lh_string_of(event, "type");
    lh_text_init(&what, row->what, sizeof(row->what));
    put_clean(&what, call_of(event));
    if (strcmp(type, "inflight") == 0 || json_is_false(json_object_get(event, "ended")))
        lh_text_string(&what, " (no end)");
}

/* As the event says. Of one without: the same, but where the text of the line is not known, its
 * number tells two mistakes in a function apart. */
static void put_fingerprint(struct lh_text *key, const json_t *event, const struct lh_place *place)
{
    const char *own = lh_string_of(event, "fingerprint");
    if (own != NULL) {
        put_clean(key, own);
        return;
    }
    const char *call = lh_string_of(event, "call");
    lh_text_hex(key, lh_fingerprint(call, &place->frame, call != NULL ? place->api : NULL, ""));
    if (place->frame.source == NULL)
        lh_text_format(key, ":%" PRIu32, place->frame.line);
}

static void put_advice(const json_t *event, struct lh_row *row)
{
    struct lh_text text;
    const json_t *advice = json_object_get(event, "advice");
    const char *sentence = lh_string_of(advice, "text");
    const char *rule = lh_string_of(advice, "rule");
    lh_text_init(&text, row->advice, sizeof(row->advice));
    if (sentence == NULL)
        return;
    put_clean(&text, sentence);
    if (rule == NULL)
        return;
    lh_text_string(&text, "  [ruff ");
    put_clean(&text, rule);
    lh_text_char(&text, ']');
}

/* What was called, the file below `base` and the function: neither the line nor its text. Of
 * something without a stack the call alone. */
static void put_loose(const json_t *event, const struct lh_place *place, const char *base,
                      struct lh_row *row)
{
    struct lh_text key;
    struct lh_text on;
    const char *call = lh_string_of(event, "call");
    const char *peer = peer_of(event);
    lh_text_init(&key, row->key, sizeof(row->key));
    put_clean(&key, call_of(event));
    if (place != NULL) {
        struct lh_frame frame = place->frame;
        frame.source = NULL;
        lh_text_char(&key, '\n');
        lh_text_hex(&key, lh_fingerprint(call, &frame, call != NULL ? place->api : NULL, base));
    }
    lh_text_init(&on, row->on, sizeof(row->on));
    if (peer != NULL)
        put_clean(&on, peer);
}

static void put_place(const json_t *event, const struct lh_place *place, const char *cwd,
                      struct lh_row *row)
{
    struct lh_text key;
    struct lh_text where;
    struct lh_text source;
    put_what(event, row);
    put_advice(event, row);
    lh_text_init(&key, row->key, sizeof(row->key));
    put_clean(&key, row->what);
    (void)snprintf(row->where, sizeof(row->where), "?");
    if (place == NULL)
        return;
    lh_text_char(&key, '\n');
    put_fingerprint(&key, event, place);
    lh_text_init(&where, row->where, sizeof(row->where));
    lh_text_where(&where, &place->frame, cwd);
    lh_text_init(&source, row->source, sizeof(row->source));
    if (place->frame.source != NULL)
        put_clean(&source, place->frame.source);
}

void lh_by_row(const struct lh_by *by, const json_t *event, const struct lh_place *place,
               const char *cwd, struct lh_row *row)
{
    struct lh_text text;
    *row = (struct lh_row){0};
    if (by->name == NULL)
        put_place(event, place, cwd, row);
    if (by->loose)
        put_loose(event, place, cwd, row);
    if (by->name == NULL)
        return;
    const char *name = by->name(event);
    lh_text_init(&text, row->where, sizeof(row->where));
    if (name != NULL)
        put_clean(&text, name);
    else
        lh_text_format(&text, "(no %s)", by->word);
    (void)snprintf(row->key, sizeof(row->key), "%s", row->where);
}

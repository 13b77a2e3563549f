/* SPDX-License-Identifier: Apache-2.0 */
/* New places. See new_place.h. */
#include "collect/report/new_place.h"

#include <stdlib.h>
#include <string.h>

#include "collect/sink/text_parts.h"

#define TEXT_BYTES 512

enum part { WHAT, WHERE, RESOURCE, TEST, ADVICE, PARTS };

struct lh_new_place *lh_new_place_new(const char *rule)
{
    struct lh_new_place *place = calloc(1, sizeof(*place));
    if (place == NULL)
        return NULL;
    place->rule = strdup(rule);
    if (place->rule != NULL)
        return place;
    free(place);
    return NULL;
}

void lh_new_place_free(struct lh_new_place *place)
{
    free(place->what);
    free(place->rule);
    free(place);
}

static void put_clean(struct lh_text *text, const char *string)
{
    if (string != NULL)
        lh_text_clean(text, string, strlen(string));
}

static void put_advice(struct lh_text *text, const struct lh_advice *advice)
{
    if (advice == NULL)
        return;
    put_clean(text, advice->text);
    if (advice->rule != NULL)
        lh_text_format(text, "  [ruff %s]", advice->rule);
}

static void put_resource(struct lh_text *text, const struct lh_record *record)
{
    if (record->type != LH_EVENT_STALL)
        lh_text_resource(text, record);
}

/* In one piece of memory, one behind the other. */
static void keep(struct lh_new_place *place, char parts[PARTS][TEXT_BYTES])
{
    const char **const kept[] = {[WHERE] = &place->where,
                                 [RESOURCE] = &place->resource,
                                 [TEST] = &place->test,
                                 [ADVICE] = &place->advice};
    size_t size = 0;
    for (int i = 0; i < PARTS; i++)
        size += strlen(parts[i]) + 1;
    char *at = malloc(size);
    if (at == NULL)
        return;
    free(place->what);
    place->what = at;
    for (int i = 0; i < PARTS; i++) {
        size_t length = strlen(parts[i]) + 1;
        memcpy(at, parts[i], length);
        if (i != WHAT)
            *kept[i] = at;
        at += length;
    }
}

static void describe(struct lh_new_place *place, const struct lh_rule_facts *facts,
                     const struct lh_report *report, const char *cwd)
{
    char parts[PARTS][TEXT_BYTES];
    struct lh_text text[PARTS];
    for (int i = 0; i < PARTS; i++)
        lh_text_init(&text[i], parts[i], TEXT_BYTES);
    put_clean(&text[WHAT], facts->call != NULL ? facts->call : facts->type);
    if (facts->place < facts->frame_count)
        lh_text_where(&text[WHERE], &facts->frames[facts->place], cwd);
    put_resource(&text[RESOURCE], report->record);
    put_clean(&text[TEST], facts->test);
    put_advice(&text[ADVICE], report->advice);
    keep(place, parts);
}

void lh_new_place_note(struct lh_new_place *place, const struct lh_rule_facts *facts,
                       const struct lh_report *report, const char *cwd)
{
    uint64_t elapsed_ns = report->record->elapsed_ns;
    if (place->what == NULL || elapsed_ns > place->worst_ns)
        describe(place, facts, report, cwd);
    place->count++;
    place->total_ns += elapsed_ns;
    place->worst_ns = elapsed_ns > place->worst_ns ? elapsed_ns : place->worst_ns;
}

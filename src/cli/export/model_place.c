/* SPDX-License-Identifier: Apache-2.0 */
/* The places of events, and what they come to. See tables.h. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/export/tables.h"
#include "collect/report/fingerprint.h"

#define PLACE_KEY_BYTES (LH_KEY_BYTES + 16)
#define RULE_BYTES      256

/* Where the names of files begin. */
static const char *base_of(const struct lh_export_model *model, uint32_t thread)
{
    const struct lh_export_process *process = &model->processes[model->threads[thread].process];
    return lh_export_text(model, process->root != 0 ? process->root : process->cwd);
}

static uint32_t fingerprint_of(struct lh_export_model *model, const json_t *json,
                               const struct lh_place *place, const char *base)
{
    char digits[17];
    const char *own = lh_string_of(json, "fingerprint");
    const char *call = lh_string_of(json, "call");
    if (own != NULL || place == NULL)
        return lh_intern(model, own);
    (void)snprintf(digits, sizeof(digits), "%016" PRIx64,
                   lh_fingerprint(call, &place->frame, call != NULL ? place->api : NULL, base));
    return lh_intern(model, digits);
}

static uint32_t quiet_of(struct lh_export_model *model, const json_t *json)
{
    char text[RULE_BYTES];
    const json_t *suppressed = json_object_get(json, "suppressed");
    const char *rule = lh_string_of(suppressed, "rule");
    const char *reason = lh_string_of(suppressed, "reason");
    if (rule == NULL)
        return 0;
    (void)snprintf(text, sizeof(text), "%.120s%s%.120s", rule, reason != NULL ? ": " : "",
                   reason != NULL ? reason : "");
    return lh_intern(model, text);
}

static struct lh_export_place made_of(struct lh_export_model *model, const json_t *json,
                                      const struct lh_export_event *event, const struct lh_row *row,
                                      const struct lh_place *place)
{
    const json_t *advice = json_object_get(json, "advice");
    struct lh_export_place made = {
        .what = lh_intern(model, row->what),
        .where = lh_intern(model, row->where),
        .fingerprint = fingerprint_of(model, json, place, base_of(model, event->thread)),
        .call = event->call,
        .group = event->group,
        .advice = lh_model_text(model, advice, "text"),
        .rule = lh_model_text(model, advice, "rule"),
        .quiet = quiet_of(model, json),
        .kind = event->kind,
        .suppressed = event->suppressed};
    if (place == NULL)
        return made;
    made.file = lh_intern(model, place->frame.file);
    made.function = lh_intern(model, place->frame.function);
    made.api = lh_intern(model, place->api);
    made.source = lh_intern(model, place->frame.source);
    made.library = lh_intern(model, place->library);
    made.version = lh_intern(model, place->version);
    made.line = place->frame.line;
    made.lang = (uint8_t)place->frame.lang;
    return made;
}

uint32_t lh_model_place(struct lh_export_model *model, const json_t *json,
                        const struct lh_export_event *event)
{
    struct lh_export_tables *tables = model->tables;
    struct lh_row row;
    char key[PLACE_KEY_BYTES];
    const struct lh_place *place = lh_book_place(tables->book, json);
    lh_by_row(tables->by_place, json, place, base_of(model, event->thread), &row);
    (void)snprintf(key, sizeof(key), "%s%s", row.key, event->suppressed ? "\nsuppressed" : "");
    uint32_t number = lh_ids_find(&tables->place_ids, key);
    if (number != LH_NO_NUMBER)
        return number;
    if (!lh_table_grow(model, (void **)&model->places, model->place_count, &tables->place_room,
                       sizeof(*model->places), LH_EXPORT_PLACES_MAX) ||
        !lh_ids_add(&tables->place_ids, key, model->place_count)) {
        model->left_out.places++;
        return LH_EXPORT_NO_PLACE;
    }
    model->places[model->place_count] = made_of(model, json, event, &row, place);
    return model->place_count++;
}

static uint32_t main_stack(const struct lh_export_model *model, const struct lh_export_event *event)
{
    const struct lh_export_part *best = &model->parts[event->first_part];
    for (uint32_t i = 1; i < event->part_count; i++)
        if (model->parts[event->first_part + i].ns > best->ns)
            best = &model->parts[event->first_part + i];
    return best->stack;
}

static void count_in_place(const struct lh_export_model *model, struct lh_export_place *place,
                           const struct lh_export_event *event)
{
    bool first = place->count == 0;
    lh_add_ns(&place->total_ns, event->weight_ns);
    place->count += event->count;
    place->severe |= event->severe;
    place->strict |= event->strict;
    place->known = (first || place->known) && event->known;
    if (event->victims > place->victims)
        place->victims = event->victims;
    if (!first && event->duration_ns <= place->worst_ns)
        return;
    place->worst_ns = event->duration_ns;
    place->worst_start_ns = event->start_ns;
    place->stack = main_stack(model, event);
    place->thread = event->thread;
    place->resource = event->resource;
    place->holder = event->holder;
    place->task = event->task;
    place->test = event->test;
}

void lh_model_count(struct lh_export_model *model, const struct lh_export_event *event)
{
    struct lh_export_totals *totals = &model->totals;
    bool stall = event->kind == LH_EXPORT_STALL;
    if (event->place != LH_EXPORT_NO_PLACE)
        count_in_place(model, &model->places[event->place], event);
    if (event->suppressed) {
        totals->suppressed += event->count;
        return;
    }
    lh_add_ns(stall ? &totals->stalls_ns : &totals->blocks_ns, event->weight_ns);
    *(stall ? &totals->stalls : &totals->blocks) += event->count;
    if (event->start_ns < totals->first_ns)
        totals->first_ns = event->start_ns;
    if (event->end_ns > totals->last_ns)
        totals->last_ns = event->end_ns;
}

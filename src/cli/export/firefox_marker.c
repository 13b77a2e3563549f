/* SPDX-License-Identifier: Apache-2.0 */
/* The markers of a thread of Firefox's profiler. See firefox_thread.h. */
#include "cli/export/firefox_thread.h"

/* The members that firefox.c describes; all of them are there, as its labels want it. */
static void put_data(struct lh_put *put, const struct lh_export_model *model,
                     const struct lh_export_event *event, uint32_t stack)
{
    static const struct lh_export_place nowhere = {0};
    const struct lh_export_place *place =
        event->place != LH_EXPORT_NO_PLACE ? &model->places[event->place] : &nowhere;
    const struct {
        const char *key;
        uint32_t string;
    } members[] = {
        {"where", place->where},   {"source", place->source}, {"resource", event->resource},
        {"holder", event->holder}, {"task", event->task},     {"test", event->test},
        {"advice", place->advice}, {"group", event->group},   {"labels", event->labels},
        {"trace", event->trace},
    };
    lh_put_open(put, '{');
    lh_put_text(put, "type", "loophound");
    lh_put_text(put, "call", lh_export_what(model, event->call));
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        lh_put_key(put, members[i].key);
        lh_put_string(put, lh_export_text(model, members[i].string));
    }
    lh_put_number(put, "waiting", event->victims);
    lh_put_millis(put, "ms", event->weight_ns);
    lh_put_key(put, "cause");
    lh_put_open(put, '{');
    lh_put_number(put, "stack", stack);
    lh_put_close(put, '}');
    lh_put_close(put, '}');
}

enum column { MARKER_NAME, MARKER_START, MARKER_END, MARKER_PHASE, MARKER_CATEGORY, MARKER_DATA };

static void put_cell(struct lh_put *put, const struct lh_export_model *model,
                     const struct lh_firefox_marker *marker, enum column column)
{
    const struct lh_export_event *event = &model->events[marker->event];
    switch (column) {
    case MARKER_NAME:
        lh_put_u64(put, marker->name);
        break;
    case MARKER_START:
        lh_put_ms(put, (uint64_t)(event->start_ns - model->totals.first_ns));
        break;
    case MARKER_END:
        lh_put_ms(put,
                  (uint64_t)((event->end_ns > event->start_ns ? event->end_ns : event->start_ns) -
                             model->totals.first_ns));
        break;
    case MARKER_PHASE:
        lh_put_u64(put, 1); /* it has a begin and an end */
        break;
    case MARKER_CATEGORY:
        lh_put_u64(put, event->call != 0 ? LH_FIREFOX_BLOCKED : LH_FIREFOX_STALLED);
        break;
    case MARKER_DATA:
        put_data(put, model, event, marker->stack);
        break;
    }
}

void lh_firefox_put_markers(struct lh_put *put, const struct lh_export_model *model,
                            const struct lh_firefox_marker *markers, uint32_t count)
{
    static const char *const columns[] = {"name",  "startTime", "endTime",
                                          "phase", "category",  "data"};
    lh_put_key(put, "markers");
    lh_put_open(put, '{');
    for (int column = MARKER_NAME; column <= MARKER_DATA; column++) {
        lh_put_key(put, columns[column]);
        lh_put_open(put, '[');
        for (uint32_t i = 0; i < count; i++)
            put_cell(put, model, &markers[i], (enum column)column);
        lh_put_close(put, ']');
    }
    lh_put_number(put, "length", count);
    lh_put_close(put, '}');
}

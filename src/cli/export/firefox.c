/* SPDX-License-Identifier: Apache-2.0 */
/* The processed profile of Firefox's profiler (https://profiler.firefox.com), version 48, which
 * later ones upgrade by themselves: for each loop thread samples that weigh milliseconds, and a
 * marker for each block and stall.
 * https://github.com/firefox-devtools/profiler/blob/main/src/types/profile.ts */
#include <errno.h>
#include <stdlib.h>

#include "cli/export/firefox_thread.h"
#include "cli/export/formats.h"
#include "cli/export/put.h"
#include "cli/export/timeline.h"
#include "common/units.h"
#include "common/version.h"

#define PROCESSED_VERSION 48
#define GECKO_VERSION     29

static const struct {
    const char *name;
    const char *color;
} categories[] = {
    [LH_FIREFOX_OTHER] = {"Other", "grey"},
    [LH_FIREFOX_SCRIPT] = {"Python and JavaScript", "orange"},
    [LH_FIREFOX_USER] = {"Your code", "green"},
    [LH_FIREFOX_BLOCKED] = {"Blocked", "red"},
    [LH_FIREFOX_STALLED] = {"Stalled", "purple"},
};

/* What a marker says; firefox_thread.c writes these members. */
static const struct {
    const char *key;
    const char *label;
    const char *format;
} fields[] = {
    {"call", "Call", "string"},         {"where", "Where", "string"},
    {"source", "Line", "string"},       {"resource", "Resource", "string"},
    {"holder", "Held by", "string"},    {"task", "Task", "string"},
    {"test", "Test", "string"},         {"advice", "Advice", "string"},
    {"group", "Group", "string"},       {"labels", "Labels", "string"},
    {"trace", "Trace", "string"},       {"waiting", "Descriptors that waited", "integer"},
    {"ms", "Milliseconds", "duration"},
};

static void put_categories(struct lh_put *put)
{
    lh_put_key(put, "categories");
    lh_put_open(put, '[');
    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        lh_put_open(put, '{');
        lh_put_text(put, "name", categories[i].name);
        lh_put_text(put, "color", categories[i].color);
        lh_put_key(put, "subcategories");
        lh_put_open(put, '[');
        lh_put_string(put, "Other");
        lh_put_close(put, ']');
        lh_put_close(put, '}');
    }
    lh_put_close(put, ']');
}

static void put_schema(struct lh_put *put)
{
    static const char *const places[] = {"marker-chart", "marker-table", "timeline-overview"};
    lh_put_key(put, "markerSchema");
    lh_put_open(put, '[');
    lh_put_open(put, '{');
    lh_put_text(put, "name", "loophound");
    lh_put_text(put, "chartLabel", "{marker.data.call} {marker.data.resource}");
    lh_put_text(put, "tableLabel", "{marker.data.where} {marker.data.source}");
    lh_put_text(put, "tooltipLabel", "{marker.data.call}");
    lh_put_key(put, "display");
    lh_put_open(put, '[');
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        lh_put_string(put, places[i]);
    lh_put_close(put, ']');
    lh_put_key(put, "data");
    lh_put_open(put, '[');
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lh_put_open(put, '{');
        lh_put_text(put, "key", fields[i].key);
        lh_put_text(put, "label", fields[i].label);
        lh_put_text(put, "format", fields[i].format);
        lh_put_key(put, "searchable");
        lh_put_bool(put, true);
        lh_put_close(put, '}');
    }
    lh_put_close(put, ']');
    lh_put_close(put, '}');
    lh_put_close(put, ']');
}

static void put_meta(struct lh_put *put, const struct lh_export_model *model, bool empty)
{
    const char *product = model->process_count > 0 ? lh_process_name(model, 0) : "loophound";
    lh_put_key(put, "meta");
    lh_put_open(put, '{');
    lh_put_number(put, "interval", 1);
    lh_put_millis(put, "startTime", empty ? 0 : (uint64_t)model->totals.first_ns);
    lh_put_number(put, "processType", 0);
    lh_put_text(put, "product", product);
    lh_put_text(put, "importedFrom", "loophound " LH_VERSION);
    lh_put_number(put, "stackwalk", 1);
    lh_put_key(put, "debug");
    lh_put_bool(put, false);
    lh_put_number(put, "version", GECKO_VERSION);
    lh_put_number(put, "preprocessedProfileVersion", PROCESSED_VERSION);
    lh_put_key(put, "symbolicated");
    lh_put_bool(put, true);
    lh_put_key(put, "sourceCodeIsNotOnSearchfox");
    lh_put_bool(put, true);
    put_categories(put);
    put_schema(put);
    lh_put_close(put, '}');
}

int lh_export_firefox(const struct lh_export_model *model, FILE *to)
{
    uint32_t count;
    int error = 0;
    struct lh_put put = {.to = to};
    uint32_t *events = lh_timeline_new(model, &count);
    if (events == NULL)
        return -ENOMEM;
    lh_put_open(&put, '{');
    put_meta(&put, model, count == 0);
    lh_put_key(&put, "libs");
    lh_put_open(&put, '[');
    lh_put_close(&put, ']');
    lh_put_key(&put, "threads");
    lh_put_open(&put, '[');
    for (uint32_t at = 0, run; at < count && error == 0; at += run) {
        run = lh_timeline_run(model, events + at, count - at);
        error = lh_firefox_put_thread(&put, model, events + at, run);
    }
    lh_put_close(&put, ']');
    lh_put_close(&put, '}');
    fputc('\n', to);
    free(events);
    return error;
}

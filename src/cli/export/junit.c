/* SPDX-License-Identifier: Apache-2.0 */
/* JUnit's XML: a test case for each test of the program's that was named, with what blocked in it,
 * and for each place outside of any. A place of the baseline is skipped, any other has failed.
 * https://github.com/testmoapp/junitxml */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/formats.h"
#include "cli/export/place_text.h"
#include "common/units.h"

#define FRAMES_SHOWN 12u

/* One place in one test, or outside of any. */
struct entry {
    uint32_t test;  /* string; 0: none */
    uint32_t place; /* LH_EXPORT_NO_PLACE: there is no room for it */
    uint64_t ns;
};

/* No character of XML 1.0, and no control: U+FFFE and U+FFFF. */
static bool is_none(const char *at)
{
    return strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0;
}

static void put_xml(FILE *to, const char *text)
{
    char room[LH_CLEAN_BYTES];
    for (const char *at = lh_clean(text, room); *at != '\0'; at += is_none(at) ? 3 : 1) {
        if (is_none(at))
            fputc('?', to);
        else if (*at == '&')
            fputs("&amp;", to);
        else if (*at == '<')
            fputs("&lt;", to);
        else if (*at == '>')
            fputs("&gt;", to);
        else if (*at == '"')
            fputs("&quot;", to);
        else
            fputc(*at, to);
    }
}

static void put_attribute(FILE *to, const char *name, const char *value)
{
    fprintf(to, " %s=\"", name);
    put_xml(to, value);
    fputc('"', to);
}

static void put_seconds(FILE *to, uint64_t ns)
{
    fprintf(to, " time=\"%" PRIu64 ".%09" PRIu64 "\"", ns / (uint64_t)LH_NS_PER_S,
            ns % (uint64_t)LH_NS_PER_S);
}

static void put_stack(FILE *to, const struct lh_export_model *model, uint32_t stack)
{
    uint32_t node = model->nodes[stack].flame;
    for (uint32_t i = 0; node != 0 && i < FRAMES_SHOWN; i++, node = model->nodes[node].outer) {
        const struct lh_export_frame *frame = &model->frames[model->nodes[node].frame];
        fputs("  ", to);
        put_xml(to, lh_export_text(model, frame->file != 0 ? frame->file : frame->module));
        if (frame->line != 0)
            fprintf(to, ":%" PRIu32, frame->line);
        fputc(' ', to);
        put_xml(to, lh_export_text(model, frame->name));
        fputc('\n', to);
    }
    if (node != 0)
        fputs("  ...\n", to);
}

/* The lines of one place within a failure. */
static void put_place(FILE *to, const struct lh_export_model *model,
                      const struct lh_export_place *place)
{
    char text[LH_PLACE_TEXT_BYTES];
    lh_place_sentence(model, place, text);
    put_xml(to, text);
    fputs(" at ", to);
    put_xml(to, lh_export_text(model, place->where));
    fputc('\n', to);
    lh_place_advice(model, place, text);
    if (text[0] != '\0') {
        put_xml(to, text);
        fputc('\n', to);
    }
    put_stack(to, model, place->stack);
}

/* Of a test the name, of a place its file, and what blocks in it. */
static void put_names(FILE *to, const struct lh_export_model *model, const struct entry *entry)
{
    char name[LH_PLACE_TEXT_BYTES];
    char room[LH_EXPORT_PATH_BYTES];
    const struct lh_export_place *place =
        entry->place != LH_EXPORT_NO_PLACE ? &model->places[entry->place] : NULL;
    if (entry->test != 0) {
        put_attribute(to, "classname", "loophound.test");
        put_attribute(to, "name", lh_export_text(model, entry->test));
        return;
    }
    const char *path = place != NULL ? lh_place_path(model, place, room) : NULL;
    (void)snprintf(name, sizeof(name), "%.200s in %.600s",
                   place != NULL ? lh_export_text(model, place->what) : "?",
                   place != NULL ? lh_export_text(model, place->where) : "?");
    put_attribute(to, "classname", path != NULL ? path : "loophound");
    put_attribute(to, "name", name);
    if (path != NULL)
        put_attribute(to, "file", path);
    if (place != NULL && place->line != 0)
        fprintf(to, " line=\"%" PRIu32 "\"", place->line);
}

static bool is_known(const struct lh_export_model *model, const struct entry *entries,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (entries[i].place == LH_EXPORT_NO_PLACE || !model->places[entries[i].place].known)
            return false;
    return true;
}

/* One case: the entries of a test, or one that is of none. */
static void put_case(FILE *to, const struct lh_export_model *model, const struct entry *entries,
                     uint32_t count)
{
    char text[LH_PLACE_TEXT_BYTES] = "too many different places";
    uint64_t ns = 0;
    bool known = is_known(model, entries, count);
    for (uint32_t i = 0; i < count; i++)
        ns += entries[i].ns;
    if (entries->place != LH_EXPORT_NO_PLACE)
        lh_place_sentence(model, &model->places[entries->place], text);
    fputs("<testcase", to);
    put_names(to, model, entries);
    put_seconds(to, ns);
    fputs(known ? "><skipped" : "><failure", to);
    if (!known)
        put_attribute(to, "type", "blocked");
    put_attribute(to, "message", text);
    fputc('>', to);
    for (uint32_t i = 0; i < count && !known; i++)
        if (entries[i].place != LH_EXPORT_NO_PLACE)
            put_place(to, model, &model->places[entries[i].place]);
    fputs(known ? "</skipped></testcase>\n" : "</failure></testcase>\n", to);
}

static int by_test(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    if (a->test != b->test)
        return (a->test > b->test) - (a->test < b->test);
    return (a->place > b->place) - (a->place < b->place);
}

/* Those that are not suppressed, each place once a test. NULL: out of memory. */
static struct entry *entries_new(const struct lh_export_model *model, uint32_t *count)
{
    uint32_t used = 0;
    struct entry *entries = calloc(model->event_count + 1u, sizeof(*entries));
    *count = 0;
    if (entries == NULL)
        return NULL;
    for (uint32_t i = 0; i < model->event_count; i++)
        if (!model->events[i].suppressed)
            entries[used++] = (struct entry){model->events[i].test, model->events[i].place,
                                             model->events[i].weight_ns};
    qsort(entries, used, sizeof(*entries), by_test);
    for (uint32_t i = 0; i < used; i++) {
        if (*count > 0 && by_test(&entries[*count - 1], &entries[i]) == 0)
            entries[*count - 1].ns += entries[i].ns;
        else
            entries[(*count)++] = entries[i];
    }
    return entries;
}

/* How many entries make one case. */
static uint32_t length_of(const struct entry *entries, uint32_t count)
{
    uint32_t length = 1;
    while (entries->test != 0 && length < count && entries[length].test == entries->test)
        length++;
    return length;
}

struct sums {
    uint32_t cases;
    uint32_t known;
    uint64_t ns;
};

static struct sums sums_of(const struct lh_export_model *model, const struct entry *entries,
                           uint32_t count)
{
    struct sums sums = {0};
    for (uint32_t at = 0, length; at < count; at += length) {
        length = length_of(entries + at, count - at);
        sums.known += is_known(model, entries + at, length);
        sums.cases++;
    }
    for (uint32_t i = 0; i < count; i++)
        sums.ns += entries[i].ns;
    return sums;
}

static void put_counts(FILE *to, const struct sums *sums)
{
    fprintf(to,
            " name=\"loophound\" tests=\"%" PRIu32 "\" failures=\"%" PRIu32
            "\" errors=\"0\" skipped=\"%" PRIu32 "\"",
            sums->cases, sums->cases - sums->known, sums->known);
    put_seconds(to, sums->ns);
    fputs(">\n", to);
}

int lh_export_junit(const struct lh_export_model *model, FILE *to)
{
    uint32_t count;
    struct entry *entries = entries_new(model, &count);
    if (entries == NULL)
        return -ENOMEM;
    struct sums sums = sums_of(model, entries, count);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites", to);
    put_counts(to, &sums);
    fputs("<testsuite", to);
    put_counts(to, &sums);
    for (uint32_t at = 0, length; at < count; at += length) {
        length = length_of(entries + at, count - at);
        put_case(to, model, entries + at, length);
    }
    fputs("</testsuite>\n</testsuites>\n", to);
    free(entries);
    return 0;
}

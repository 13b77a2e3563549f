/* SPDX-License-Identifier: Apache-2.0 */
/* SARIF 2.1.0: a result for each place. GitHub takes 5,000 results and 10 MB: the worst places are
 * written, and a notification says how many are not.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/formats.h"
#include "cli/export/place_text.h"
#include "cli/export/put.h"
#include "cli/export/sarif_result.h"
#include "common/version.h"

#define RESULTS_MAX  5000u
#define BYTES_MAX    (10u << 20)
#define BYTES_AROUND (512u << 10) /* of the rules, which have a few hundred bytes each */
#define RULES_MAX    1000u

/* The rules that results name, by their numbers. */
struct rules {
    char ids[RULES_MAX][LH_SARIF_RULE_BYTES];
    const struct lh_export_place *places[RULES_MAX]; /* the first one of each */
    uint32_t count;
};

/* The last rule is that of all there is no room for. */
static uint32_t rule_of(const struct lh_export_model *model, struct rules *rules,
                        const struct lh_export_place *place)
{
    char id[LH_SARIF_RULE_BYTES];
    uint32_t i = 0;
    lh_sarif_rule_id(model, place, id);
    while (i < rules->count && strcmp(rules->ids[i], id) != 0)
        i++;
    if (i == RULES_MAX)
        return RULES_MAX - 1;
    if (i == rules->count) {
        memcpy(rules->ids[i], id, sizeof(id));
        rules->places[i] = place;
        rules->count++;
    }
    return i;
}

static void put_rules(struct lh_put *put, const struct lh_export_model *model,
                      const struct rules *rules)
{
    lh_put_key(put, "rules");
    lh_put_open(put, '[');
    for (uint32_t i = 0; i < rules->count; i++)
        lh_sarif_put_rule(put, model, rules->ids[i], rules->places[i]);
    lh_put_close(put, ']');
}

static void put_tool(struct lh_put *put, const struct lh_export_model *model,
                     const struct rules *rules)
{
    lh_put_key(put, "tool");
    lh_put_open(put, '{');
    lh_put_key(put, "driver");
    lh_put_open(put, '{');
    lh_put_text(put, "name", "loophound");
    lh_put_text(put, "version", LH_VERSION);
    lh_put_text(put, "semanticVersion", LH_VERSION);
    put_rules(put, model, rules);
    lh_put_close(put, '}');
    lh_put_close(put, '}');
}

/* Where relative names begin, which end in a slash. */
static void put_root(struct lh_put *put, const struct lh_export_model *model)
{
    char uri[LH_SARIF_URI_BYTES];
    char root[LH_EXPORT_PATH_BYTES];
    const char *path = lh_export_root(model);
    if (path[0] != '/')
        return;
    (void)snprintf(root, sizeof(root), "%.4096s%s", path, path[1] != '\0' ? "/" : "");
    lh_sarif_uri(root, uri);
    lh_put_key(put, "originalUriBaseIds");
    lh_put_open(put, '{');
    lh_put_key(put, "SRCROOT");
    lh_put_open(put, '{');
    lh_put_text(put, "uri", uri);
    lh_put_close(put, '}');
    lh_put_close(put, '}');
}

static void put_invocation(struct lh_put *put, uint32_t left_out)
{
    char text[200];
    lh_put_key(put, "invocations");
    lh_put_open(put, '[');
    lh_put_open(put, '{');
    lh_put_key(put, "executionSuccessful");
    lh_put_bool(put, true);
    if (left_out > 0) {
        (void)snprintf(text, sizeof(text),
                       "%" PRIu32 " places that took less are left out: no more than %u results "
                       "and 10 MB are written",
                       left_out, RESULTS_MAX);
        lh_put_key(put, "toolExecutionNotifications");
        lh_put_open(put, '[');
        lh_put_open(put, '{');
        lh_put_text(put, "level", "note");
        lh_put_key(put, "message");
        lh_put_open(put, '{');
        lh_put_text(put, "text", text);
        lh_put_close(put, '}');
        lh_put_close(put, '}');
        lh_put_close(put, ']');
    }
    lh_put_close(put, '}');
    lh_put_close(put, ']');
}

/* Results, as long as there is room; how many that are. Returns 0 or -ENOMEM. */
static int make_results(const struct lh_export_model *model, struct rules *rules, char **bytes,
                        size_t *length, uint32_t *count)
{
    uint32_t most = lh_export_places_shown(model);
    size_t so_far = 0;
    FILE *memory = open_memstream(bytes, length);
    if (memory == NULL)
        return -ENOMEM;
    struct lh_put put = {.to = memory};
    most = most < RESULTS_MAX ? most : RESULTS_MAX;
    *count = 0;
    for (uint32_t i = 0; i < most && so_far < BYTES_MAX - BYTES_AROUND; i++) {
        uint32_t rule = rule_of(model, rules, &model->places[i]);
        lh_sarif_put_result(&put, model, &model->places[i], rules->ids[rule], rule);
        fputc('\n', memory);
        so_far = (size_t)ftell(memory);
        ++*count;
    }
    bool failed = ferror(memory) != 0;
    return fclose(memory) != 0 || failed ? -ENOMEM : 0;
}

static void put_log(struct lh_put *put, const struct lh_export_model *model,
                    const struct rules *rules, const char *results, size_t length, uint32_t count)
{
    lh_put_open(put, '{');
    lh_put_text(put, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    lh_put_text(put, "version", "2.1.0");
    lh_put_key(put, "runs");
    lh_put_open(put, '[');
    lh_put_open(put, '{');
    put_tool(put, model, rules);
    put_root(put, model);
    lh_put_text(put, "columnKind", "unicodeCodePoints");
    put_invocation(put, model->place_count - count);
    lh_put_key(put, "results");
    lh_put_open(put, '[');
    fwrite(results, 1, length, put->to);
    lh_put_close(put, ']');
    lh_put_close(put, '}');
    lh_put_close(put, ']');
    lh_put_close(put, '}');
    fputc('\n', put->to);
}

int lh_export_sarif(const struct lh_export_model *model, FILE *to)
{
    char *results = NULL;
    size_t length = 0;
    uint32_t count;
    struct rules *rules = calloc(1, sizeof(*rules));
    int error = rules != NULL ? make_results(model, rules, &results, &length, &count) : -ENOMEM;
    if (error == 0)
        put_log(&(struct lh_put){.to = to}, model, rules, results, length, count);
    free(results);
    free(rules);
    return error;
}

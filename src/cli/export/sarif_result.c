/* SPDX-License-Identifier: Apache-2.0 */
/* Results of SARIF. See sarif_result.h. */
#include "cli/export/sarif_result.h"

#include <string.h>

#include "cli/export/place_text.h"
#include "common/text.h"

#define FRAMES_SHOWN 30u
#define HELP         "https://docs.astral.sh/ruff/rules/#flake8-async-async"

void lh_sarif_rule_id(const struct lh_export_model *model, const struct lh_export_place *place,
                      char id[LH_SARIF_RULE_BYTES])
{
    char room[LH_CLEAN_BYTES];
    if (place->rule != 0)
        (void)snprintf(id, LH_SARIF_RULE_BYTES, "%.60s",
                       lh_clean(lh_export_text(model, place->rule), room));
    else if (place->kind == LH_EXPORT_STALL)
        (void)snprintf(id, LH_SARIF_RULE_BYTES, "stall");
    else
        (void)snprintf(id, LH_SARIF_RULE_BYTES, "blocked/%.40s",
                       place->group != 0 ? lh_clean(lh_export_text(model, place->group), room)
                                         : "other");
}

static void put_message(struct lh_put *put, const char *key, const char *text)
{
    lh_put_key(put, key);
    lh_put_open(put, '{');
    lh_put_key(put, "text");
    lh_put_string(put, text);
    lh_put_close(put, '}');
}

/* What GitHub shows beside a result; it asks for all four. */
void lh_sarif_put_rule(struct lh_put *put, const struct lh_export_model *model, const char *id,
                       const struct lh_export_place *place)
{
    char text[LH_PLACE_TEXT_BYTES];
    const char *group = place->group != 0 ? lh_export_text(model, place->group) : "other";
    lh_put_open(put, '{');
    lh_put_text(put, "id", id);
    if (place->kind == LH_EXPORT_STALL)
        (void)snprintf(text, sizeof(text), "An iteration of the event loop took long.");
    else
        (void)snprintf(text, sizeof(text), "A call on the event loop waits (%.40s).", group);
    put_message(put, "shortDescription", text);
    put_message(put, "fullDescription",
                "While a call waits or a callback computes on the thread of an event loop, "
                "nothing else of that loop runs: all its other clients wait.");
    lh_place_advice(model, place, text);
    put_message(put, "help",
                text[0] != '\0' ? text
                                : "Give it to a thread, or use what the loop itself offers.");
    if (place->rule != 0)
        lh_put_text(put, "helpUri", HELP);
    lh_put_close(put, '}');
}

void lh_sarif_uri(const char *path, char uri[LH_SARIF_URI_BYTES])
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~/+";
    struct lh_text text;
    lh_text_init(&text, uri, LH_SARIF_URI_BYTES);
    if (path[0] == '/')
        lh_text_string(&text, "file://");
    for (; *path != '\0'; path++) {
        if (strchr(plain, *path) != NULL) {
            lh_text_char(&text, *path);
            continue;
        }
        lh_text_char(&text, '%');
        lh_text_char(&text, "0123456789ABCDEF"[(unsigned char)*path >> 4]);
        lh_text_char(&text, "0123456789ABCDEF"[(unsigned char)*path & 15]);
    }
}

/* `path`: as lh_export_path() gives it; NULL: there is no file. */
static void put_physical(struct lh_put *put, const struct lh_export_model *model, const char *path,
                         uint32_t line)
{
    char uri[LH_SARIF_URI_BYTES];
    if (path == NULL)
        return;
    const char *relative = lh_export_relative(model, path);
    lh_put_key(put, "physicalLocation");
    lh_put_open(put, '{');
    lh_put_key(put, "artifactLocation");
    lh_put_open(put, '{');
    lh_sarif_uri(relative, uri);
    lh_put_text(put, "uri", uri);
    if (relative[0] != '/')
        lh_put_text(put, "uriBaseId", "SRCROOT");
    lh_put_close(put, '}');
    if (line != 0) {
        lh_put_key(put, "region");
        lh_put_open(put, '{');
        lh_put_number(put, "startLine", line);
        lh_put_close(put, '}');
    }
    lh_put_close(put, '}');
}

static void put_logical(struct lh_put *put, const char *function)
{
    if (function[0] == '\0')
        return;
    lh_put_key(put, "logicalLocations");
    lh_put_open(put, '[');
    lh_put_open(put, '{');
    lh_put_text(put, "fullyQualifiedName", function);
    lh_put_text(put, "kind", "function");
    lh_put_close(put, '}');
    lh_put_close(put, ']');
}

static void put_location(struct lh_put *put, const struct lh_export_model *model,
                         const struct lh_export_place *place)
{
    char room[LH_EXPORT_PATH_BYTES];
    uint32_t process = model->threads[place->thread].process;
    lh_put_key(put, "locations");
    lh_put_open(put, '[');
    lh_put_open(put, '{');
    put_physical(put, model, lh_export_path(model, process, place->file, room), place->line);
    put_logical(put, lh_export_text(model, place->function));
    lh_put_close(put, '}');
    lh_put_close(put, ']');
}

static void put_frame(struct lh_put *put, const struct lh_export_model *model, uint32_t process,
                      const struct lh_export_frame *frame)
{
    char room[LH_EXPORT_PATH_BYTES];
    lh_put_open(put, '{');
    lh_put_key(put, "location");
    lh_put_open(put, '{');
    put_message(put, "message", lh_export_text(model, frame->name));
    put_physical(
        put, model,
        lh_export_path(model, process, frame->file != 0 ? frame->file : frame->module, room),
        frame->file != 0 ? frame->line : 0);
    lh_put_close(put, '}');
    lh_put_close(put, '}');
}

static void put_stack(struct lh_put *put, const struct lh_export_model *model,
                      const struct lh_export_place *place)
{
    uint32_t node = model->nodes[place->stack].flame;
    uint32_t process = model->threads[place->thread].process;
    if (node == 0)
        return;
    lh_put_key(put, "stacks");
    lh_put_open(put, '[');
    lh_put_open(put, '{');
    put_message(put, "message", "the longest one, innermost first");
    lh_put_key(put, "frames");
    lh_put_open(put, '[');
    for (uint32_t i = 0; node != 0 && i < FRAMES_SHOWN; i++, node = model->nodes[node].outer)
        put_frame(put, model, process, &model->frames[model->nodes[node].frame]);
    lh_put_close(put, ']');
    lh_put_close(put, '}');
    lh_put_close(put, ']');
}

/* GitHub looks at the second one alone. */
static void put_fingerprints(struct lh_put *put, const char *fingerprint)
{
    if (fingerprint[0] == '\0')
        return;
    lh_put_key(put, "partialFingerprints");
    lh_put_open(put, '{');
    lh_put_text(put, "loophound/v1", fingerprint);
    lh_put_text(put, "primaryLocationLineHash", fingerprint);
    lh_put_close(put, '}');
}

static void put_properties(struct lh_put *put, const struct lh_export_model *model,
                           const struct lh_export_place *place)
{
    lh_put_key(put, "properties");
    lh_put_open(put, '{');
    lh_put_millis(put, "total_ms", place->total_ns);
    lh_put_millis(put, "worst_ms", place->worst_ns);
    lh_put_number(put, "count", place->count);
    lh_put_text(put, "source", lh_export_text(model, place->source));
    lh_put_text(put, "resource", lh_export_text(model, place->resource));
    lh_put_text(put, "holder", lh_export_text(model, place->holder));
    lh_put_text(put, "task", lh_export_text(model, place->task));
    lh_put_text(put, "library", lh_export_text(model, place->library));
    lh_put_text(put, "version", lh_export_text(model, place->version));
    lh_put_key(put, "known");
    lh_put_bool(put, place->known);
    lh_put_close(put, '}');
}

static void put_suppression(struct lh_put *put, const struct lh_export_model *model,
                            const struct lh_export_place *place)
{
    if (!place->suppressed)
        return;
    lh_put_key(put, "suppressions");
    lh_put_open(put, '[');
    lh_put_open(put, '{');
    lh_put_text(put, "kind", "external");
    lh_put_text(put, "justification", lh_export_text(model, place->quiet));
    lh_put_close(put, '}');
    lh_put_close(put, ']');
}

static void put_text(struct lh_put *put, const struct lh_export_model *model,
                     const struct lh_export_place *place)
{
    char sentence[LH_PLACE_TEXT_BYTES];
    char advice[LH_PLACE_TEXT_BYTES];
    char both[2 * LH_PLACE_TEXT_BYTES + 4];
    lh_place_sentence(model, place, sentence);
    lh_place_advice(model, place, advice);
    (void)snprintf(both, sizeof(both), "%s.%s%s%s", sentence, advice[0] != '\0' ? " " : "", advice,
                   advice[0] != '\0' ? "." : "");
    put_message(put, "message", both);
}

void lh_sarif_put_result(struct lh_put *put, const struct lh_export_model *model,
                         const struct lh_export_place *place, const char *id, uint32_t rule)
{
    lh_put_open(put, '{');
    lh_put_text(put, "ruleId", id);
    lh_put_number(put, "ruleIndex", rule);
    lh_put_text(put, "level", place->known ? "note" : place->severe ? "error" : "warning");
    put_text(put, model, place);
    put_location(put, model, place);
    put_fingerprints(put, lh_export_text(model, place->fingerprint));
    put_stack(put, model, place);
    lh_put_number(put, "occurrenceCount",
                  place->count < INT32_MAX ? place->count : (uint64_t)INT32_MAX);
    put_suppression(put, model, place);
    put_properties(put, model, place);
    lh_put_close(put, '}');
}

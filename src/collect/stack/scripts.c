/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts that a program runs: see scripts.h. Runs on the threads of the rings.
 *
 * Names and contents come from the program: what the program could not read is not read for it, and
 * of another user's program nothing is shown that is in its files. */
#include "collect/stack/scripts.h"

#include <stdlib.h>
#include <string.h>

#include "collect/stack/script_lines.h"
#include "collect/stack/script_map.h"
#include "collect/stack/script_text.h"
#include "collect/stack/source_path.h"
#include "collect/sys/other_user.h"
#include "common/fnv.h"
#include "common/text.h"

#define SCRIPTS_KEPT 64u
#define BYTES_KEPT   (32u << 20) /* of what was read for them */
#define SOURCES_MAX  1024u       /* files of one map whose names are kept */
#define FLAWED_MAX   256u        /* scripts with one flaw that are told apart */

struct script {
    struct script *next;
    char *name;      /* "": it has none */
    uint64_t source; /* where it is in the program's memory, … */
    uint32_t length; /* … in characters; two of them may have one name */
    struct lh_script_lines lines;
    struct lh_script_map map;
    char **sources; /* paths that frames have */
    size_t source_count;
    bool has_flaw[LH_SCRIPT_FLAW_COUNT]; /* that is to be told */
};

/* By a hash of the script's name: they outlive the scripts. */
struct flawed {
    uint64_t names[FLAWED_MAX];
    uint32_t count;
};

struct lh_scripts {
    pid_t pid;
    struct script *scripts; /* the last one first */
    size_t count;
    size_t bytes;
    struct flawed flawed[LH_SCRIPT_FLAW_COUNT];
};

struct lh_scripts *lh_scripts_new(pid_t pid)
{
    struct lh_scripts *scripts = calloc(1, sizeof(*scripts));
    if (scripts != NULL)
        scripts->pid = pid;
    return scripts;
}

static void free_script(struct script *script)
{
    for (size_t i = 0; i < script->source_count; i++)
        free(script->sources[i]);
    free(script->sources);
    lh_script_map_free(&script->map);
    lh_script_lines_free(&script->lines);
    free(script->name);
    free(script);
}

void lh_scripts_give_up(struct lh_scripts *scripts)
{
    while (scripts->scripts != NULL) {
        struct script *script = scripts->scripts;
        scripts->scripts = script->next;
        free_script(script);
    }
    scripts->count = 0;
    scripts->bytes = 0;
}

void lh_scripts_let_go(struct lh_scripts *scripts)
{
    if (scripts->count > SCRIPTS_KEPT || scripts->bytes > BYTES_KEPT)
        lh_scripts_give_up(scripts);
}

void lh_scripts_free(struct lh_scripts *scripts)
{
    if (scripts == NULL)
        return;
    lh_scripts_give_up(scripts);
    free(scripts);
}

/* ---- flaws ---- */

static void note_flaw(struct lh_scripts *scripts, struct script *script, enum lh_script_flaw flaw)
{
    struct flawed *flawed = &scripts->flawed[flaw];
    uint64_t name = lh_fnv(LH_FNV_START, script->name, strlen(script->name));
    for (uint32_t i = 0; i < flawed->count; i++)
        if (flawed->names[i] == name)
            return;
    if (flawed->count == FLAWED_MAX)
        return;
    flawed->names[flawed->count++] = name;
    script->has_flaw[flaw] = true;
}

const char *lh_scripts_flaw(struct lh_scripts *scripts, enum lh_script_flaw *flaw)
{
    for (struct script *script = scripts->scripts; script != NULL; script = script->next)
        for (uint32_t i = 0; i < LH_SCRIPT_FLAW_COUNT; i++) {
            if (!script->has_flaw[i])
                continue;
            script->has_flaw[i] = false;
            *flaw = (enum lh_script_flaw)i;
            return script->name;
        }
    return NULL;
}

uint64_t lh_scripts_flawed(const struct lh_scripts *scripts, enum lh_script_flaw flaw)
{
    return scripts->flawed[flaw].count;
}

/* ---- finding one ---- */

static void load(struct lh_scripts *scripts, struct script *script, const struct lh_js_frame *js)
{
    struct lh_script_text text;
    if (!lh_script_text_take(scripts->pid, js, script->name, &text))
        return;
    if (js->source_length != 0)
        lh_script_lines_find(text.units, text.count, &script->lines);
    if (!lh_is_other_user())
        lh_script_map_load(&script->map, script->name, &text);
    lh_script_text_free(&text);
    if (script->map.is_broken)
        note_flaw(scripts, script, LH_SCRIPT_BROKEN_MAP);
}

static bool is_it(const struct script *script, const char *name, const struct lh_js_frame *js)
{
    return script->source == js->source && script->length == js->source_length &&
           strcmp(script->name, name) == 0;
}

static struct script *find(struct lh_scripts *scripts, const char *name,
                           const struct lh_js_frame *js)
{
    for (struct script *script = scripts->scripts; script != NULL; script = script->next)
        if (is_it(script, name, js))
            return script;
    struct script *script = calloc(1, sizeof(*script));
    if (script == NULL || (script->name = strdup(name)) == NULL) {
        free(script);
        return NULL;
    }
    script->source = js->source;
    script->length = js->source_length;
    load(scripts, script, js);
    script->next = scripts->scripts;
    scripts->scripts = script;
    scripts->count++;
    scripts->bytes += script->map.bytes + script->lines.count * sizeof(*script->lines.begins);
    return script;
}

/* ---- frames ---- */

static const char *kept(const struct script *script, const char *path)
{
    for (size_t i = 0; i < script->source_count; i++)
        if (strcmp(script->sources[i], path) == 0)
            return script->sources[i];
    return NULL;
}

/* The same string for the same path, which becomes the script's. */
static const char *keep(struct script *script, char *path)
{
    const char *before = kept(script, path);
    char **sources = NULL;
    if (before == NULL && script->source_count < SOURCES_MAX)
        sources = reallocarray(script->sources, script->source_count + 1, sizeof(*sources));
    if (sources == NULL) {
        free(path);
        return before;
    }
    script->sources = sources;
    script->sources[script->source_count++] = path;
    return path;
}

static void follow_map(struct script *script, struct lh_frame *frame)
{
    struct lh_source_place place;
    const struct lh_script_map *map = &script->map;
    if (map->map == NULL || map->directory == NULL ||
        !lh_source_map_find(map->map, frame->line, frame->column != 0 ? frame->column : 1, &place))
        return;
    char *path = lh_source_path(map->directory, place.root, place.source);
    const char *file = path != NULL ? keep(script, path) : NULL;
    if (file == NULL)
        return;
    frame->generated_file = frame->file;
    frame->generated_line = frame->line;
    frame->file = file;
    frame->line = place.line;
    frame->column = place.column;
}

/* False: there is none, which is to be said. Node.js's own scripts have no file, and nobody misses
 * their lines. */
static bool take_line(const struct script *script, const struct lh_js_frame *js,
                      struct lh_frame *frame)
{
    return lh_script_lines_place(&script->lines, js->position, &frame->line, &frame->column) ||
           lh_starts_with(script->name, "node:");
}

void lh_scripts_apply(struct lh_scripts *scripts, const struct lh_js_frame *js,
                      struct lh_frame *frame)
{
    const char *name = frame->file != NULL ? frame->file : "";
    bool lacks_line = frame->line == 0 && js->how != LH_JS_NOWHERE;
    if (name[0] != '/' && js->source_length == 0)
        return;
    if (frame->line == 0 && !lacks_line)
        return;
    struct script *script = find(scripts, name, js);
    if (script == NULL)
        return;
    if (lacks_line && !take_line(script, js, frame))
        note_flaw(scripts, script, LH_SCRIPT_NO_LINES);
    if (frame->line != 0)
        follow_map(script, frame);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whose code a frame is, by the table src/frames.def. Runs in the collector, on any of its threads;
 * looks at names only. */
#include "collect/stack/frame_kind.h"

#include <string.h>

#include "common/options.h"
#include "common/qualified_name.h"
#include "common/text.h"

enum part { PART_FILE, PART_SCRIPT, PART_MODULE, PART_BASE, PART_FUNCTION, PART_COUNT };

static const struct rule {
    enum lh_lang lang;
    enum part part;
    const char *globs;
    const char *function; /* NULL: any */
    enum lh_frame_kind kind;
} rules[] = {
#define FRAMES(lang, part, globs, function, whose, example, doc)                                   \
    {LH_LANG_##lang, PART_##part, globs, function, LH_FRAME_##whose},
#include "frames.def"
};

/* What the rules look at, of one frame; NULL: not known. */
struct parts {
    const char *of[PART_COUNT];
    char function[LH_QUALIFIED_BYTES];
};

static void take_parts(struct parts *parts, const struct lh_frame *frame)
{
    *parts = (struct parts){.of = {[PART_FILE] = frame->file,
                                   [PART_SCRIPT] = frame->generated_file,
                                   [PART_MODULE] = frame->module}};
    if (frame->module != NULL)
        parts->of[PART_BASE] = lh_base_name(frame->module);
    if (frame->function == NULL)
        return;
    if (frame->lang == LH_LANG_PYTHON)
        (void)lh_text_copy(parts->function, sizeof(parts->function), frame->function);
    else
        lh_qualified_name(frame->function, parts->function);
    parts->of[PART_FUNCTION] = parts->function;
}

static bool holds(const struct rule *rule, enum lh_lang lang, const struct parts *parts)
{
    const char *text = parts->of[rule->part];
    const char *function = parts->of[PART_FUNCTION];
    return rule->lang == lang && text != NULL && lh_glob_list_match(rule->globs, text) &&
           (rule->function == NULL ||
            (function != NULL && lh_glob_list_match(rule->function, function)));
}

static enum lh_frame_kind kind_by_rules(const struct lh_frame *frame, const struct parts *parts)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (holds(&rules[i], frame->lang, parts))
            return rules[i].kind;
    return frame->lang == LH_LANG_PYTHON ? LH_FRAME_LIBRARY : LH_FRAME_NATIVE;
}

enum lh_frame_kind lh_frame_kind_of(const struct lh_frame *frame)
{
    struct parts parts;
    if (frame->kind != LH_FRAME_UNKNOWN)
        return (enum lh_frame_kind)frame->kind;
    take_parts(&parts, frame);
    return kind_by_rules(frame, &parts);
}

static bool is_of_users(enum lh_frame_kind kind)
{
    return kind == LH_FRAME_USER || kind == LH_FRAME_OWN_NATIVE;
}

static enum lh_frame_kind kind_in_project(const struct parts *parts, enum lh_lang lang,
                                          enum lh_frame_kind by_rules, const char *project)
{
    bool own = false;
    bool named = lang == LH_LANG_NATIVE || parts->of[PART_FILE] == NULL;
    for (int part = 0; part < PART_COUNT && !own; part++)
        own = (part == PART_FILE || named) && lh_glob_path_match(project, parts->of[part]);
    if (own)
        return lang == LH_LANG_NATIVE ? LH_FRAME_OWN_NATIVE : LH_FRAME_USER;
    return is_of_users(by_rules) ? LH_FRAME_LIBRARY : by_rules;
}

void lh_frames_class(struct lh_frame *frames, uint32_t count, const char *project)
{
    struct parts parts;
    for (uint32_t i = 0; i < count; i++) {
        if (frames[i].kind != LH_FRAME_UNKNOWN)
            continue;
        take_parts(&parts, &frames[i]);
        enum lh_frame_kind kind = kind_by_rules(&frames[i], &parts);
        if (project[0] != '\0')
            kind = kind_in_project(&parts, frames[i].lang, kind, project);
        frames[i].kind = (uint8_t)kind;
    }
}

bool lh_frame_is_script(const struct lh_frame *frame)
{
    return frame->lang == LH_LANG_PYTHON || (frame->lang == LH_LANG_JIT && frame->file != NULL);
}

static uint32_t first_of(const struct lh_frame *frames, uint32_t count, enum lh_frame_kind kind)
{
    uint32_t i = 0;
    while (i < count && lh_frame_kind_of(&frames[i]) != kind)
        i++;
    return i;
}

/* The program itself is a string: its outermost frame is that of the whole string. */
static bool is_a_string(const struct lh_frame *frames, uint32_t count)
{
    while (count > 0 && frames[count - 1].lang != LH_LANG_PYTHON)
        count--;
    return count > 0 && lh_frame_kind_of(&frames[count - 1]) == LH_FRAME_GENERATED &&
           frames[count - 1].function != NULL &&
           strcmp(frames[count - 1].function, "<module>") == 0;
}

uint32_t lh_first_of_user(const struct lh_frame *frames, uint32_t count)
{
    uint32_t first = first_of(frames, count, LH_FRAME_USER);
    if (first == count && is_a_string(frames, count))
        first = first_of(frames, count, LH_FRAME_GENERATED);
    return first < count ? first : first_of(frames, count, LH_FRAME_OWN_NATIVE);
}

/* Of the modules that the runtime brings along inside itself: nobody has these as files. */
static bool is_built_in(const struct lh_frame *frame)
{
    static const char *const begins[] = {"<frozen ", "node:", "internal/", "ext:", "bun:"};
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        if (frame->file != NULL && lh_starts_with(frame->file, begins[i]))
            return true;
    return false;
}

bool lh_frame_has_script_file(const struct lh_frame *frame)
{
    return lh_frame_is_script(frame) && !is_built_in(frame);
}

/* How much a frame says about where the program was; 0: nothing. */
static int worth(const struct lh_frame *frame)
{
    if (lh_frame_is_script(frame))
        return lh_frame_has_script_file(frame) ? 6 : 5;
    if (frame->function == NULL)
        return 0;
    switch (lh_frame_kind_of(frame)) {
    case LH_FRAME_NATIVE:
        return 4;
    case LH_FRAME_LIBRARY:
        return 3;
    case LH_FRAME_RUNTIME:
        return 2;
    default:
        return 1;
    }
}

uint32_t lh_place_of(const struct lh_frame *frames, uint32_t count)
{
    uint32_t best = lh_first_of_user(frames, count);
    if (best < count || count == 0)
        return best;
    best = 0;
    for (uint32_t i = 1; i < count; i++)
        if (worth(&frames[i]) > worth(&frames[best]))
            best = i;
    return best;
}

uint32_t lh_api_of(const struct lh_frame *frames, uint32_t count, uint32_t place)
{
    while (place > 0 && place < count &&
           lh_frame_kind_of(&frames[place - 1]) == LH_FRAME_INTERPRETER)
        place--;
    return place > 0 && place < count ? place - 1 : count;
}

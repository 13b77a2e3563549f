/* SPDX-License-Identifier: Apache-2.0 */
/* Does a rule hold? Runs anywhere: no malloc, no stdio, no locale. */
#include <string.h>

#include "common/options.h"
#include "common/qualified_name.h"
#include "common/rules.h"

#define PATH_BYTES 1024 /* of a source file's name; a longer one is cut */

static bool matches(struct lh_span glob, const char *text)
{
    return text != NULL && lh_glob_match(glob.text, glob.length, text);
}

/* Whole components from the right: `app/v*` is /srv/shop/app/views.py. */
static bool matches_path(struct lh_span glob, const char *path)
{
    while (path != NULL) {
        if (matches(glob, path))
            return true;
        const char *slash = strchr(path, '/');
        path = slash != NULL ? slash + 1 : NULL;
    }
    return false;
}

/* Likewise, of what is joined by dots or colons: `load` is App.load and ns::App::load. */
static bool matches_name(struct lh_span glob, const char *name)
{
    if (matches(glob, name))
        return true;
    for (const char *at = name; *at != '\0'; at++)
        if ((*at == '.' || *at == ':') && matches(glob, at + 1))
            return true;
    return false;
}

static bool matches_function(struct lh_span glob, const struct lh_frame *frame)
{
    char name[LH_QUALIFIED_BYTES];
    if (glob.length == 0)
        return true;
    if (frame->function == NULL)
        return false;
    if (frame->lang == LH_LANG_PYTHON)
        return matches_name(glob, frame->function);
    lh_qualified_name(frame->function, name);
    return matches_name(glob, name) || matches(glob, frame->function);
}

/* Where the file is not known the module stands for it. */
static bool matches_file(struct lh_span glob, const struct lh_frame *frame)
{
    char path[PATH_BYTES];
    struct lh_text text;
    if (frame->file == NULL)
        return matches_path(glob, frame->module);
    if (frame->directory == NULL || frame->file[0] == '/')
        return matches_path(glob, frame->file);
    lh_text_init(&text, path, sizeof(path));
    lh_text_string(&text, frame->directory);
    lh_text_char(&text, '/');
    lh_text_string(&text, frame->file);
    return matches_path(glob, path);
}

static bool is_at(const struct lh_rule_part *part, const struct lh_frame *frame)
{
    return matches_file(part->glob, frame) && matches_function(part->function, frame);
}

static bool is_native(const struct lh_rule_part *part, const struct lh_frame *frame)
{
    return frame->lang == LH_LANG_NATIVE && matches_path(part->glob, frame->module) &&
           matches_function(part->function, frame);
}

static bool any_frame(const struct lh_rule_part *part, const struct lh_rule_facts *facts,
                      bool (*holds)(const struct lh_rule_part *, const struct lh_frame *))
{
    for (uint32_t i = 0; i < facts->frame_count; i++)
        if (holds(part, &facts->frames[i]))
            return true;
    return false;
}

static bool holds(const struct lh_rule_part *part, const struct lh_rule_facts *facts)
{
    struct lh_span glob = part->glob;
    switch (part->condition) {
    case LH_CONDITION_call:
        return matches(glob, facts->call) || matches(glob, facts->symbol);
    case LH_CONDITION_group:
        return matches(glob, facts->group);
    case LH_CONDITION_type:
        return matches(glob, facts->type);
    case LH_CONDITION_at:
        return facts->at < facts->frame_count && is_at(part, &facts->frames[facts->at]);
    case LH_CONDITION_in:
        return any_frame(part, facts, is_at);
    case LH_CONDITION_place:
        return facts->place < facts->frame_count && is_at(part, &facts->frames[facts->place]);
    case LH_CONDITION_native:
        return any_frame(part, facts, is_native);
    case LH_CONDITION_path:
        return matches(glob, facts->path);
    case LH_CONDITION_peer:
        return matches(glob, facts->peer);
    case LH_CONDITION_host:
        return matches(glob, facts->host);
    case LH_CONDITION_fd:
        return matches(glob, facts->fd);
    case LH_CONDITION_thread:
        return matches(glob, facts->thread) || (facts->main_thread && matches(glob, "MainThread"));
    case LH_CONDITION_task:
        return matches(glob, facts->task) || matches(glob, facts->coroutine) ||
               matches(glob, facts->callback);
    case LH_CONDITION_test:
        return matches(glob, facts->test);
    case LH_CONDITION_phase:
        return matches(glob, facts->phase);
    case LH_CONDITION_under:
        return facts->duration_ns < part->ns;
    case LH_CONDITION_noise:
        return matches(glob, facts->noise);
    case LH_CONDITION_COUNT:
        break;
    }
    return false;
}

bool lh_rule_matches(const struct lh_rule *rule, const struct lh_rule_facts *facts)
{
    for (uint32_t i = 0; i < rule->part_count; i++)
        if (!holds(&rule->parts[i], facts))
            return false;
    return rule->part_count > 0;
}

/* What the condition is on; NULL: it is not known. */
static const void *known(enum lh_condition condition, const struct lh_rule_facts *facts)
{
    const void *of[LH_CONDITION_COUNT] = {
        [LH_CONDITION_call] = facts->call,
        [LH_CONDITION_group] = facts->group,
        [LH_CONDITION_type] = facts->type,
        [LH_CONDITION_at] = facts->frames,
        [LH_CONDITION_in] = facts->frames,
        [LH_CONDITION_place] = facts->frames,
        [LH_CONDITION_native] = facts->frames,
        [LH_CONDITION_path] = facts->path,
        [LH_CONDITION_peer] = facts->peer,
        [LH_CONDITION_host] = facts->host,
        [LH_CONDITION_fd] = facts->fd,
        [LH_CONDITION_thread] = facts->thread,
        [LH_CONDITION_task] = facts->task,
        [LH_CONDITION_test] = facts->test,
        [LH_CONDITION_phase] = facts->phase,
        [LH_CONDITION_noise] = facts->noise,
        [LH_CONDITION_under] = facts->duration_ns != LH_UNKNOWN ? facts : NULL,
    };
    return of[condition];
}

bool lh_rule_may_match(const struct lh_rule *rule, const struct lh_rule_facts *facts)
{
    for (uint32_t i = 0; i < rule->part_count; i++)
        if (known(rule->parts[i].condition, facts) != NULL && !holds(&rule->parts[i], facts))
            return false;
    return true;
}

/* .../lib/python3.12/json/__init__.py, but not what was installed below it. */
bool lh_is_standard_python(const char *file)
{
    static const char *const roots[] = {"/lib/python3", "/lib64/python3"};
    if (lh_starts_with(file, "<frozen "))
        return true;
    if (strstr(file, "/site-packages/") != NULL || strstr(file, "/dist-packages/") != NULL)
        return false;
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        if (strstr(file, roots[i]) != NULL)
            return true;
    return false;
}

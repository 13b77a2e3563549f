/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks of Node.js, by the table src/node_callbacks.def. Any thread of the collector. */
#include "collect/stack/node_callback.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/options.h"
#include "common/qualified_name.h"
#include "common/text.h"

static const struct row {
    const char *kind;
    enum lh_lang lang;
    const char *where;
    const char *functions;
} rows[] = {
#define NODE_CALLBACK(kind, lang, where, functions, example, doc)                                  \
    {kind, LH_LANG_##lang, where, functions},
#include "node_callbacks.def"
};

static bool is_of(const struct row *row, const struct lh_frame *frame, const char *function)
{
    if (frame->lang != row->lang || !lh_glob_list_match(row->functions, function))
        return false;
    if (row->where[0] == '\0')
        return frame->file == NULL;
    const char *where = frame->lang == LH_LANG_NATIVE ? frame->module : frame->file;
    return where != NULL &&
           lh_glob_list_match(row->where,
                              frame->lang == LH_LANG_NATIVE ? lh_base_name(where) : where);
}

static const char *kind_of(const struct lh_frame *frame)
{
    char name[LH_QUALIFIED_BYTES];
    if (frame->function == NULL)
        return NULL;
    lh_qualified_name(frame->function, name);
    const char *function = frame->lang == LH_LANG_NATIVE ? name : frame->function;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (is_of(&rows[i], frame, function))
            return rows[i].kind;
    return NULL;
}

/* Not what Node.js has itself, nor V8. */
static bool is_called_back(const struct lh_frame *frame)
{
    return frame->lang == LH_LANG_JIT && frame->file != NULL &&
           !lh_glob_list_match("node:*,internal/*", frame->file);
}

const char *lh_node_callback_of(const struct lh_frame *frames, uint32_t count,
                                const char **callback)
{
    *callback = NULL;
    const struct lh_frame *outermost = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const char *kind = outermost != NULL ? kind_of(&frames[i]) : NULL;
        if (kind != NULL) {
            bool is_named = outermost->function != NULL && outermost->function[0] != '(';
            *callback = is_named ? outermost->function : NULL;
            return kind;
        }
        if (is_called_back(&frames[i]))
            outermost = &frames[i];
    }
    return NULL;
}

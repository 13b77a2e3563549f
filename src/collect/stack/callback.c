/* SPDX-License-Identifier: Apache-2.0 */
/* Callbacks of asyncio and uvloop. Any thread of the collector. See callback.h. */
#include "collect/stack/callback.h"

#include <stdbool.h>
#include <stddef.h>

#include "common/options.h"

/* What calls what call_soon(), call_later() and their like were given. */
static const struct {
    enum lh_lang lang;
    const char *where; /* globs of its file, or of machine code its module */
    const char *function;
} callers[] = {
    {LH_LANG_PYTHON, "*/asyncio/events.py", "Handle._run"},
    {LH_LANG_PYTHON, "*/asyncio/events.py", "_run"}, /* up to 3.10 */
    {LH_LANG_NATIVE, "*/uvloop/loop.*.so", "*"},
};

static bool calls_back(const struct lh_frame *frame)
{
    const char *where = frame->lang == LH_LANG_NATIVE ? frame->module : frame->file;
    const char *function = frame->function != NULL ? frame->function : "";
    for (size_t i = 0; where != NULL && i < sizeof(callers) / sizeof(callers[0]); i++)
        if (frame->lang == callers[i].lang && lh_glob_list_match(callers[i].where, where) &&
            lh_glob_list_match(callers[i].function, function))
            return true;
    return false;
}

static bool has_python(const struct lh_frame *frames, uint32_t count)
{
    uint32_t i = 0;
    while (i < count && frames[i].lang != LH_LANG_PYTHON)
        i++;
    return i < count;
}

/* The Python function that is nearest inside of the innermost of them. */
const char *lh_callback_of(const struct lh_python_task *task, const struct lh_frame *frames,
                           uint32_t count)
{
    const char *callback = NULL;
    if (task->has_name || task->has_coroutine || task->in_coroutine || !has_python(frames, count))
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (calls_back(&frames[i]))
            return callback;
        if (frames[i].lang == LH_LANG_PYTHON)
            callback = frames[i].function;
    }
    return NULL;
}

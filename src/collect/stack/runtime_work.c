/* SPDX-License-Identifier: Apache-2.0 */
/* Garbage collectors and compilers in stacks, by the table src/runtime_work.def. Runs on the
 * threads of the rings. */
#include "collect/stack/runtime_work.h"

#include <stddef.h>

#include "common/options.h"
#include "common/qualified_name.h"
#include "common/text.h"

static const struct {
    const char *modules;
    const char *functions;
} rows[LH_WORK_COUNT] = {
#define WORK(id, what, place, modules, functions) [LH_WORK_##id] = {modules, functions},
#include "runtime_work.def"
};

static enum lh_work work_of(const struct lh_frame *frame)
{
    char name[LH_QUALIFIED_BYTES];
    if (frame->lang != LH_LANG_NATIVE || frame->module == NULL || frame->function == NULL)
        return LH_WORK_NONE;
    const char *module = lh_base_name(frame->module);
    lh_qualified_name(frame->function, name);
    for (int work = LH_WORK_NONE + 1; work < LH_WORK_COUNT; work++)
        if (lh_glob_list_match(rows[work].modules, module) &&
            lh_glob_list_match(rows[work].functions, name))
            return (enum lh_work)work;
    return LH_WORK_NONE;
}

enum lh_work lh_frames_work(const struct lh_frame *frames, uint32_t count)
{
    bool in_script = false;
    for (uint32_t i = 0; i < count; i++) {
        enum lh_work work = work_of(&frames[i]);
        if (work != LH_WORK_NONE && (!in_script || lh_work_collects(work)))
            return work;
        in_script = in_script || frames[i].lang != LH_LANG_NATIVE;
    }
    return LH_WORK_NONE;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Garbage collectors, by the table src/collectors.def. Runs on the threads of the rings. */
#include "collect/stack/garbage.h"

#include <stddef.h>

#include "common/options.h"
#include "common/qualified_name.h"
#include "common/text.h"

static const struct collector {
    const char *modules;
    const char *functions;
} collectors[] = {
#define COLLECTOR(name, modules, functions) {modules, functions},
#include "collectors.def"
};

static bool is_of(const struct collector *collector, const struct lh_frame *frame)
{
    char name[LH_QUALIFIED_BYTES];
    if (!lh_glob_list_match(collector->modules, lh_base_name(frame->module)))
        return false;
    lh_qualified_name(frame->function, name);
    return lh_glob_list_match(collector->functions, name);
}

bool lh_frames_collect(const struct lh_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (size_t k = 0; k < sizeof(collectors) / sizeof(collectors[0]); k++)
            if (frames[i].lang == LH_LANG_NATIVE && frames[i].module != NULL &&
                frames[i].function != NULL && is_of(&collectors[k], &frames[i]))
                return true;
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* JavaScript frames that were read twice. See js_twice.h: raw system calls, no libc state. */
#include "preload/watchdog/js_twice.h"

#include <string.h>

#include "preload/state/state.h"
#include "preload/v8/engine.h"

static bool same_frame(const struct lh_record *a, const struct lh_record *b, uint32_t i)
{
    const struct lh_js_frame *one = &a->js[i];
    const struct lh_js_frame *other = &b->js[i];
    return one->fp == other->fp && one->kind == other->kind && one->how == other->how &&
           one->position == other->position &&
           strcmp(a->strings + one->function, b->strings + other->function) == 0 &&
           strcmp(a->strings + one->script, b->strings + other->script) == 0;
}

bool lh_js_confirm(uintptr_t isolate, struct lh_record *record)
{
    struct lh_record *again = &lh_process->recheck;
    const struct lh_v8_thread thread = {.isolate = isolate};
    again->js_count = 0;
    again->js_cut = 0;
    again->strings_length = 0;
    if (lh_options.stack_frames > 0) {
        struct lh_view view = lh_view_of_process();
        lh_v8_capture(&view, &thread, lh_process->v8_scratch, lh_options.stack_frames, again);
        lh_view_close(&view);
    }
    bool same = again->js_count == record->js_count;
    for (uint32_t i = 0; i < record->js_count && same; i++)
        same = same_frame(record, again, i);
    if (!same)
        record->js_count = 0;
    return same;
}

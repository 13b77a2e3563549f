/* SPDX-License-Identifier: Apache-2.0 */
/* Python frames that were read twice. See python_twice.h: raw system calls, no libc state. */
#include "preload/watchdog/python_twice.h"

#include <string.h>

#include "preload/python/interpreter.h"
#include "preload/state/state.h"

static bool same_python(const struct lh_record *a, const struct lh_record *b)
{
    return a->python_count == b->python_count && a->strings_length == b->strings_length &&
           memcmp(a->python, b->python, a->python_count * sizeof(a->python[0])) == 0 &&
           memcmp(a->strings, b->strings, a->strings_length) == 0;
}

bool lh_python_confirm(uintptr_t thread_state, struct lh_record *record)
{
    struct lh_record *again = &lh_process->recheck;
    again->python_count = 0;
    again->strings_length = 0;
    again->registers = record->registers;
    if (lh_options.stack_frames > 0) {
        struct lh_view view = lh_view_of_process();
        lh_python_capture(&view, thread_state, lh_options.stack_frames, again);
        lh_view_close(&view);
    }
    if (same_python(record, again))
        return true;
    record->python_count = 0;
    return false;
}

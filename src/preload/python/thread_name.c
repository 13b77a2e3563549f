/* SPDX-License-Identifier: Apache-2.0 */
/* The name that Python's threading module gave a thread.
 *
 * Runs on the watchdog, while the interpreter may be running: no malloc, no libc state; every
 * object is what it should be only when its type says so, and the number of steps is bounded.
 *
 * Up to 3.13 the kernel does not know the name, and later only its first 15 bytes. A thread that
 * threading started has Thread._bootstrap for its outermost frame, whose first local is the Thread;
 * the name is its attribute _name (Lib/threading.py). */
#include "preload/python/thread_name.h"

#include <stdbool.h>
#include <string.h>

#include "preload/python/attribute.h"
#include "preload/python/names.h"
#include "preload/python/object.h"
#include "preload/python/walk.h"

#define TRIES 3

/* Cuts at the start of a character. */
static void store(char name[LH_THREAD_NAME], const char *found)
{
    size_t length = strnlen(found, LH_THREAD_NAME);
    if (length == LH_THREAD_NAME)
        length--;
    while (length > 0 && ((unsigned char)found[length] & 0xc0) == 0x80)
        length--;
    if (length == 0)
        return;
    memset(name, 0, LH_THREAD_NAME);
    memcpy(name, found, length);
}

static bool find(const struct lh_python_layout *layout, const struct lh_view *view,
                 uintptr_t thread_state, struct lh_record *record, char name[LH_THREAD_NAME])
{
    struct lh_python_walk walk = {.view = *view, .layout = layout, .record = record};
    struct lh_python_outermost outermost;
    uint32_t strings_length = record->strings_length;
    uint16_t at;
    if (strings_length > LH_STRING_BYTES ||
        !lh_python_walk_outermost(&walk, thread_state, &outermost))
        return false;
    if (!lh_python_string_is(&walk, outermost.qualname, "Thread._bootstrap") &&
        !lh_python_string_is(&walk, outermost.qualname, "_bootstrap"))
        return false;
    uintptr_t found = lh_python_attribute(&walk, outermost.first_local, "_name");
    bool is_stored = found != 0 && lh_python_store_name(&walk, found, &at) == 0;
    if (is_stored)
        store(name, record->strings + at);
    record->strings_length = strings_length;
    return is_stored;
}

void lh_python_thread_name_find(const struct lh_python_layout *layout, const struct lh_view *view,
                                uintptr_t thread_state, struct lh_record *record,
                                char name[LH_THREAD_NAME])
{
    for (int i = 0; i < TRIES && !find(layout, view, thread_state, record, name); i++)
        lh_view_forget(view); /* a thread that runs may have left the frame that was looked at */
}

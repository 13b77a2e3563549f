/* SPDX-License-Identifier: Apache-2.0 */
/* Merges Python and JavaScript frames into native ones. Pure arithmetic on what the record says. */
#include "collect/stack/merge.h"

#include <string.h>

struct merge {
    const struct lh_python_frame *python;
    uint32_t python_count;
    uint32_t python_next;
    struct lh_merged_frame *merged;
    uint32_t most;
    uint32_t count;
};

static void put(struct merge *merge, enum lh_merged_from from, uint32_t index)
{
    if (merge->count < merge->most)
        merge->merged[merge->count++] = (struct lh_merged_frame){from, index};
}

/* The next boundary, or 0: no Python frame that is left has one. */
static uint64_t next_boundary(const struct merge *merge)
{
    for (uint32_t i = merge->python_next; i < merge->python_count; i++)
        if (merge->python[i].boundary != 0)
            return merge->python[i].boundary;
    return 0;
}

/* Puts the frames up to and including the one that carries the next boundary. */
static void put_python(struct merge *merge)
{
    while (merge->python_next < merge->python_count) {
        uint32_t index = merge->python_next++;
        put(merge, LH_MERGED_PYTHON, index);
        if (merge->python[index].boundary != 0)
            return;
    }
}

/* Puts what lies below `address`. Was there anything? */
static bool put_python_below(struct merge *merge, uint64_t address)
{
    bool any = false;
    for (;;) {
        uint64_t boundary = next_boundary(merge);
        if (boundary == 0 || boundary >= address)
            return any;
        put_python(merge);
        any = true;
    }
}

/* `pc` is a return address, and the call may be the last instruction. */
static bool is_inside(struct lh_code_range loop, uint64_t pc)
{
    return pc - 1 - loop.start < loop.size;
}

static bool put_python_of(struct merge *merge, const struct lh_native_frame *frame,
                          struct lh_code_range loop)
{
    if (!is_inside(loop, frame->pc) || merge->python_next == merge->python_count)
        return false;
    put(merge, LH_MERGED_PYTHON, merge->python_next++);
    return true;
}

uint32_t lh_merge(const struct lh_native_frame *native, uint32_t native_count,
                  const struct lh_python_frame *python, uint32_t python_count,
                  struct lh_code_range loop, struct lh_merged_frame *merged, uint32_t most)
{
    struct merge merge = {python, python_count, 0, merged, most, 0};
    if (native_count > 0)
        put_python_below(&merge, native[0].sp);
    for (uint32_t i = 0; i < native_count && merge.count < most; i++) {
        /* Where the last frame ends is not known, so it is no loop for certain. */
        bool is_loop = i + 1 < native_count && put_python_below(&merge, native[i + 1].sp);
        if (!is_loop && !put_python_of(&merge, &native[i], loop))
            put(&merge, LH_MERGED_NATIVE, i);
    }
    while (merge.python_next < python_count)
        put_python(&merge);
    return merge.count;
}

struct js_merge {
    const struct lh_js_frame *js;
    uint32_t count;
    uint32_t next;
};

/* Puts what lies below `address`. Was there anything? */
static bool put_js_below(struct merge *to, struct js_merge *from, uint64_t address)
{
    uint32_t first = from->next;
    while (from->next < from->count && from->js[from->next].fp < address)
        put(to, LH_MERGED_JS, from->next++);
    return from->next > first;
}

uint32_t lh_merge_js(const struct lh_native_frame *native, uint32_t native_count,
                     const struct lh_js_frame *js, uint32_t js_count,
                     struct lh_merged_frame *merged, uint32_t count, uint32_t most,
                     struct lh_merged_frame *former)
{
    struct merge to = {.merged = merged, .most = most};
    struct js_merge from = {js, js_count, 0};
    memcpy(former, merged, count * sizeof(*merged));
    if (native_count > 0)
        put_js_below(&to, &from, native[0].sp);
    for (uint32_t i = 0; i < count && to.count < most; i++) {
        uint32_t index = former[i].index;
        /* Where the last frame ends is not known, so it is none of theirs for certain. */
        bool is_js = former[i].from == LH_MERGED_NATIVE && index + 1 < native_count &&
                     put_js_below(&to, &from, native[index + 1].sp);
        if (!is_js)
            put(&to, (enum lh_merged_from)former[i].from, index);
    }
    put_js_below(&to, &from, UINT64_MAX);
    return to.count;
}

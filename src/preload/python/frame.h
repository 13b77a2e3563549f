/* SPDX-License-Identifier: Apache-2.0 */
/* A Python frame and a code object, as they stand in memory: each is read once, whole. See
 * interpreter.h for who may call what. */
#ifndef LH_PRELOAD_PYTHON_FRAME_H
#define LH_PRELOAD_PYTHON_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/python/walker.h"

struct lh_python_frame_read {
    uintptr_t previous;
    uintptr_t code;
    uintptr_t instruction;
    int32_t last_instruction;
    int32_t bytecode_index;
    uintptr_t generator; /* up to 3.10: whose frame it is */
    bool is_entry;
    bool is_shim;
    bool is_coroutine; /* or a generator's */
};

struct lh_python_code_read {
    uintptr_t filename;
    uintptr_t qualname;
    uintptr_t line_table;
    uintptr_t bytecode_copies;
    int32_t first_line;
};

/* Up to 3.10 there is a C stack frame of the eval loop for each Python frame. */
static inline bool lh_python_has_loop_per_frame(const struct lh_python_offsets *at)
{
    return at->frame_last_instruction != 0;
}

/* Returns 0, or -EFAULT when it cannot be read. */
int lh_python_read_frame(const struct lh_python_walk *walk, uintptr_t address,
                         struct lh_python_frame_read *frame);

/* Returns 0, -EFAULT when it cannot be read, -EINVAL when it is no code object. */
int lh_python_read_code(const struct lh_python_walk *walk, uintptr_t address,
                        struct lh_python_code_read *code);

/* The frame that the thread with this state is in; 0: none. Where eval loops are marked by
 * _PyCFrames, walk->cframe becomes the innermost. */
uintptr_t lh_python_first_frame(struct lh_python_walk *walk, uintptr_t thread_state);

#endif

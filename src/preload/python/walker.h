/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk over a thread's Python frames carries with it: how this interpreter's objects lie in
 * memory, how memory is read, where what is found goes. Plain data. */
#ifndef LH_PRELOAD_PYTHON_WALKER_H
#define LH_PRELOAD_PYTHON_WALKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"
#include "preload/python/offsets.h"
#include "preload/sys/view.h"

#define LH_PYTHON_NAME_MAX   255u /* bytes kept of a file or function name, its end */
#define LH_PYTHON_NAMES_SEEN 64u  /* a power of two */

struct lh_python_layout {
    struct lh_python_offsets at;
    uintptr_t code_type; /* addresses of PyCode_Type, PyUnicode_Type and PyBytes_Type */
    uintptr_t string_type;
    uintptr_t bytes_type;
    uintptr_t runtime;              /* _PyRuntime */
    struct lh_code_range eval_loop; /* _PyEval_EvalFrameDefault */
};

#define LH_PYTHON_TASK        "_asyncio.Task"
#define LH_PYTHON_STEPPED_MAX 4u

/* A coroutine that is not awaited by another one: some C code, or a task's, takes its steps. */
struct lh_python_stepped {
    uintptr_t frame; /* 0: none */
    uintptr_t
        generator;  /* up to 3.10: the coroutine itself; later 0, for the frame is a part of it */
    uint32_t index; /* of the frame in the record */
};

struct lh_python_walk {
    struct lh_view view;
    const struct lh_python_layout *layout;
    struct lh_record *record;
    uint32_t left;    /* frames still wanted */
    int32_t open;     /* index of the last frame taken while its eval loop is not known; or -1 */
    uintptr_t cframe; /* _PyCFrame of the eval loop the walk is in; 0: no more, or no such thing */
    uintptr_t handle_frame; /* asyncio's, that runs a step of a task; 0: none so far */
    bool is_eager;          /* … which an eager task inside it has stopped */
    uint32_t stepped_count; /* so many are known for certain */
    struct lh_python_stepped stepped[LH_PYTHON_STEPPED_MAX]; /* innermost first */
    /* Names stored already, by the address of the str object. */
    uintptr_t seen[LH_PYTHON_NAMES_SEEN];
    uint16_t seen_at[LH_PYTHON_NAMES_SEEN];
};

#endif

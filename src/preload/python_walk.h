/* The walk over one thread's Python frames, for a given layout. See python.h for who may call what.
 */
#ifndef LH_PRELOAD_PYTHON_WALK_H
#define LH_PRELOAD_PYTHON_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ring.h"
#include "preload/memory.h"
#include "preload/python_offsets.h"

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

struct lh_python_walk {
    lh_memory_read *read;
    const struct lh_python_layout *layout;
    struct lh_record *record;
    uint32_t left;    /* frames still wanted */
    int32_t open;     /* index of the last frame taken while its eval loop is not known; or -1 */
    uintptr_t cframe; /* _PyCFrame of the eval loop the walk is in; 0: no more, or no such thing */
    uintptr_t handle_frame; /* asyncio's, that runs a step of a task; 0: none so far */
    bool is_eager;          /* … which an eager task inside it has stopped */
    /* Names stored already, by the address of the str object. */
    uintptr_t seen[LH_PYTHON_NAMES_SEEN];
    uint16_t seen_at[LH_PYTHON_NAMES_SEEN];
};

/* lh_python_capture() with the layout as a parameter. */
void lh_python_walk(const struct lh_python_layout *layout, lh_memory_read *read,
                    uintptr_t thread_state, uint32_t most, struct lh_record *record);

struct lh_python_outermost {
    uintptr_t qualname;    /* of its code */
    uintptr_t first_local; /* where it has one */
};

/* The outermost Python frame of the thread with this state. False: there is none, or it is very far
 * out, or cannot be read. */
bool lh_python_walk_outermost(struct lh_python_walk *walk, uintptr_t thread_state,
                              struct lh_python_outermost *outermost);

/* Stores the str object at `address` into the record's strings as UTF-8, at most LH_PYTHON_NAME_MAX
 * bytes of its end, and its place in *offset. Returns 0, -EFAULT when it cannot be read, -EINVAL
 * when it is no str, -ENOSPC when the strings are full; then nothing is stored. */
int lh_python_store_name(struct lh_python_walk *walk, uintptr_t address, uint16_t *offset);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Where CPython keeps what a stack walk needs, one row for each minor version. Plain data. */
#ifndef LH_PRELOAD_PYTHON_OFFSETS_H
#define LH_PRELOAD_PYTHON_OFFSETS_H

#include <stddef.h>
#include <stdint.h>

/* Most bytes of these objects that the walk reads: every offset into them must lie below. */
#define LH_PYTHON_FRAME_SPAN_MAX  112u
#define LH_PYTHON_CODE_SPAN_MAX   256u
#define LH_PYTHON_HEADER_SPAN_MAX 96u /* of a str or bytes object, in front of its data */

/* Where the attributes of an instance of a class are while nobody asked for its dict. */
enum lh_python_values {
    LH_PYTHON_VALUES_IN_DICT, /* up to 3.10: it always has a dict */
    LH_PYTHON_VALUES_BESIDE,  /* 3.11: a pointer to them stands before the object */
    LH_PYTHON_VALUES_TAGGED,  /* 3.12: the same word is a dict, or their address less one */
    LH_PYTHON_VALUES_INLINE,  /* 3.13: behind the object */
};

/* Byte offsets; 0 means that this version has no such member, but for cframe_frame, which counts
 * only where thread_frame is not set, frame_code, and interpreter_next. All of one type, for a row
 * of positions is read as an array. A frame is a PyFrameObject up to 3.10, a _PyInterpreterFrame
 * since. */
struct lh_python_offsets {
    uint16_t runtime_interpreters; /* _PyRuntime: the PyInterpreterState made last */
    uint16_t interpreter_next;     /* the one made before; may be at 0 */
    uint16_t interpreter_threads;  /* its PyThreadStates */
    uint16_t thread_next;          /* the next of them */
    uint16_t thread_id;            /* what pthread_self(3) says there */
    uint16_t thread_cframe;        /* PyThreadState: the _PyCFrame of the innermost eval loop */
    uint16_t thread_frame;    /* PyThreadState: the innermost frame, where _PyCFrame has none */
    uint16_t cframe_frame;    /* _PyCFrame: the innermost frame */
    uint16_t cframe_previous; /* _PyCFrame: that of the next outer eval loop */
    uint16_t frame_previous;  /* the caller's frame */
    uint16_t frame_code;      /* its code object */
    uint16_t frame_last_instruction; /* up to 3.10: an int, in units of the version's line table */
    uint16_t frame_instruction;      /* a pointer into the bytecode, as CPython counts lines */
    uint16_t frame_owner;            /* a char: who allocated it */
    uint16_t frame_is_entry;         /* a bool: the outermost frame of its eval loop */
    uint16_t frame_locals;           /* the first local */
    uint16_t frame_bytecode_index;   /* an int: which of the code object's copies it runs */
    uint16_t code_filename;
    uint16_t code_qualname;   /* up to 3.10 co_name, for there is no co_qualname */
    uint16_t code_first_line; /* an int */
    uint16_t code_line_table; /* a bytes object */
    uint16_t code_bytecode;
    uint16_t code_bytecode_copies; /* a _PyCodeArray: the bytecode for each thread */
    uint16_t string_length;
    uint16_t string_state;
    uint16_t string_ascii; /* where the characters of an ASCII str start */
    uint16_t string_wide;  /* and of any other */
    uint16_t bytes_length;
    uint16_t bytes_data;
    uint16_t object_type;

    /* Never positions. All but the first count from the end of the object's header. */
    uint16_t thread_task;      /* PyThreadState, 3.14 and later: the asyncio task it runs */
    uint16_t type_cached_keys; /* PyHeapTypeObject.ht_cached_keys, 3.11 and later: the names of the
                                  attributes that instances without a dict have */
    /* The word after it is the task's name: a str; since 3.12 also an int, for "Task-" and that
     * number. Releases of one minor version differ by a word. */
    uint16_t task_coroutine;
    uint16_t coroutine_qualname;

    /* Not in the table: the bytes to read of a frame and of a code object for all of the above, and
     * no more, for an object may end where readable memory ends; the format of line tables; the
     * first bit of a str's kind in its state; where an instance has its attributes. */
    uint16_t frame_span;
    uint16_t code_span;
    uint16_t line_format; /* enum lh_python_line_format */
    uint16_t string_kind_bit;
    uint16_t is_free_threaded;
    uint16_t instance_values; /* enum lh_python_values */
};

/* Looks up the row of a version (0x030b for 3.11). `runtime` is _PyRuntime, `size` bytes long:
 * since 3.13 it starts with _Py_DebugOffsets, whose numbers are used. Returns 0, or -ENOTSUP when
 * there is no row, or the interpreter does not agree with it. */
int lh_python_offsets_find(uint32_t version, const void *runtime, size_t size,
                           struct lh_python_offsets *found);

#endif

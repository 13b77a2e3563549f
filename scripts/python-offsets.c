/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the row of src/preload/python/offsets.def for the CPython whose headers it is built with:
 *
 *     prefix=$HOME/.pyenv/versions/3.12.1 version=3.12
 *     cc -I$prefix/include/python$version -I$prefix/include/python$version/internal \
 *         scripts/python-offsets.c -o build/python-offsets && build/python-offsets
 *
 * Written for 3.8 to 3.15. From 3.13 on it prints positions inside _Py_DebugOffsets, not offsets.
 * The columns of tasks and coroutines are printed by scripts/python_task_offsets.py.
 */
#define Py_BUILD_CORE 1
#include <Python.h>
#include <stddef.h>
#include <stdio.h>

#if PY_VERSION_HEX >= 0x030b0000
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_runtime.h"
#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_tstate.h"
#endif
#else
#include <code.h>
#include <frameobject.h>
#if PY_VERSION_HEX >= 0x03090000
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#else
#include "internal/pycore_pystate.h"
#endif
#endif

#define COLUMN(name, value) printf("       ." #name " = %zu,\n", (size_t)(value))

#if PY_VERSION_HEX >= 0x030d0000

#define POSITION(name, member) COLUMN(name, offsetof(_Py_DebugOffsets, member))

static void print_row(void)
{
    printf("PYTHON_BY_DEBUG_OFFSETS(0x%04x,\n", PY_VERSION_HEX >> 16);
    POSITION(runtime_interpreters, runtime_state.interpreters_head);
    POSITION(interpreter_next, interpreter_state.next);
    POSITION(interpreter_threads, interpreter_state.threads_head);
    POSITION(thread_next, thread_state.next);
    POSITION(thread_id, thread_state.thread_id);
    POSITION(thread_frame, thread_state.current_frame);
    POSITION(frame_previous, interpreter_frame.previous);
    POSITION(frame_code, interpreter_frame.executable);
    POSITION(frame_instruction, interpreter_frame.instr_ptr);
    POSITION(frame_owner, interpreter_frame.owner);
#if PY_VERSION_HEX >= 0x030e0000
    POSITION(frame_bytecode_index, interpreter_frame.tlbc_index);
#endif
    POSITION(frame_locals, interpreter_frame.localsplus);
    POSITION(code_filename, code_object.filename);
    POSITION(code_qualname, code_object.qualname);
    POSITION(code_first_line, code_object.firstlineno);
    POSITION(code_line_table, code_object.linetable);
    POSITION(code_bytecode, code_object.co_code_adaptive);
#if PY_VERSION_HEX >= 0x030e0000
    POSITION(code_bytecode_copies, code_object.co_tlbc);
#endif
    POSITION(string_length, unicode_object.length);
    POSITION(string_state, unicode_object.state);
    POSITION(string_ascii, unicode_object.asciiobject_size);
    POSITION(bytes_length, bytes_object.ob_size);
    POSITION(bytes_data, bytes_object.ob_sval);
    POSITION(object_type, pyobject.ob_type);
#if PY_VERSION_HEX >= 0x030e0000
    COLUMN(thread_task, offsetof(_PyThreadStateImpl, asyncio_running_task));
#endif
}

#else

static void print_threads(void)
{
    COLUMN(runtime_interpreters, offsetof(_PyRuntimeState, interpreters.head));
    COLUMN(interpreter_next, offsetof(PyInterpreterState, next));
#if PY_VERSION_HEX >= 0x030b0000
    COLUMN(interpreter_threads, offsetof(PyInterpreterState, threads.head));
#else
    COLUMN(interpreter_threads, offsetof(PyInterpreterState, tstate_head));
#endif
    COLUMN(thread_next, offsetof(PyThreadState, next));
    COLUMN(thread_id, offsetof(PyThreadState, thread_id));
}

static void print_frame(void)
{
#if PY_VERSION_HEX >= 0x030b0000
    COLUMN(thread_cframe, offsetof(PyThreadState, cframe));
    COLUMN(cframe_frame, offsetof(_PyCFrame, current_frame));
    COLUMN(cframe_previous, offsetof(_PyCFrame, previous));
    COLUMN(frame_previous, offsetof(_PyInterpreterFrame, previous));
    COLUMN(frame_code, offsetof(_PyInterpreterFrame, f_code));
    COLUMN(frame_instruction, offsetof(_PyInterpreterFrame, prev_instr));
    COLUMN(frame_owner, offsetof(_PyInterpreterFrame, owner));
    COLUMN(frame_locals, offsetof(_PyInterpreterFrame, localsplus));
#else
#if PY_VERSION_HEX >= 0x030a0000
    COLUMN(thread_cframe, offsetof(PyThreadState, cframe));
    COLUMN(cframe_previous, offsetof(CFrame, previous));
#endif
    COLUMN(thread_frame, offsetof(PyThreadState, frame));
    COLUMN(frame_previous, offsetof(PyFrameObject, f_back));
    COLUMN(frame_code, offsetof(PyFrameObject, f_code));
    COLUMN(frame_last_instruction, offsetof(PyFrameObject, f_lasti));
    COLUMN(frame_locals, offsetof(PyFrameObject, f_localsplus));
#endif
#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030c0000
    COLUMN(frame_is_entry, offsetof(_PyInterpreterFrame, is_entry));
#endif
}

static void print_code(void)
{
    COLUMN(code_filename, offsetof(PyCodeObject, co_filename));
#if PY_VERSION_HEX >= 0x030b0000
    COLUMN(code_qualname, offsetof(PyCodeObject, co_qualname));
#else
    COLUMN(code_qualname, offsetof(PyCodeObject, co_name));
#endif
    COLUMN(code_first_line, offsetof(PyCodeObject, co_firstlineno));
#if PY_VERSION_HEX >= 0x030a0000
    COLUMN(code_line_table, offsetof(PyCodeObject, co_linetable));
#else
    COLUMN(code_line_table, offsetof(PyCodeObject, co_lnotab));
#endif
#if PY_VERSION_HEX >= 0x030b0000
    COLUMN(code_bytecode, offsetof(PyCodeObject, co_code_adaptive));
#endif
}

static void print_row(void)
{
    printf("PYTHON(0x%04x,\n", PY_VERSION_HEX >> 16);
    print_threads();
    print_frame();
    print_code();
    COLUMN(string_length, offsetof(PyASCIIObject, length));
    COLUMN(string_state, offsetof(PyASCIIObject, state));
    COLUMN(string_ascii, sizeof(PyASCIIObject));
    COLUMN(string_wide, sizeof(PyCompactUnicodeObject));
    COLUMN(bytes_length, offsetof(PyVarObject, ob_size));
    COLUMN(bytes_data, offsetof(PyBytesObject, ob_sval));
    COLUMN(object_type, offsetof(PyObject, ob_type));
}

#endif

int main(void)
{
    print_row();
#if PY_VERSION_HEX >= 0x030b0000
    COLUMN(type_cached_keys, offsetof(PyHeapTypeObject, ht_cached_keys) - sizeof(PyObject));
#endif
    puts(")");
    return 0;
}

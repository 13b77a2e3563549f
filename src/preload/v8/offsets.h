/* SPDX-License-Identifier: Apache-2.0 */
/* Where V8 keeps what a stack walk needs. Plain data.
 *
 * Most of it V8 exports itself, for debuggers (v8dbg_*, symbols.def); the rest has one row for each
 * minor version (v8_offsets.def). Both are for 64 bits without pointer compression, which is what
 * Node.js is, and hold for every such processor; entry_frame.h has what does not. */
#ifndef LH_PRELOAD_V8_OFFSETS_H
#define LH_PRELOAD_V8_OFFSETS_H

#include <stdbool.h>
#include <stdint.h>

#define LH_V8_NEVER (-1) /* a type or kind that this version does not have */

/* How the first number of an entry of a source position table says how far it is from the last. */
enum lh_v8_deltas { LH_V8_ZIGZAG, LH_V8_FLAGS_BELOW };

/* Bytes from the untagged start of an object, but where something else is said. */
struct lh_v8_offsets {
    /* From symbols.def. */
    int32_t fp_function; /* from the frame pointer */
    int32_t map_type;
    int32_t map_descriptors;
    int32_t map_prototype;
    int32_t map_constructor; /* or the map from which it was made */
    int32_t location_mask;   /* of a property's details: its value is in the descriptor */
    int32_t function_shared;
    int32_t shared_name;
    int32_t shared_script;
    int32_t script_name;
    int32_t script_source;
    int32_t script_line_ends;
    int32_t regexp_source;
    int32_t symbol_name;
    int32_t type_map;
    int32_t type_function_first;
    int32_t type_function_last;
    int32_t type_shared;
    int32_t type_wrapper; /* of a SharedFunctionInfo */
    int32_t type_scope;
    int32_t type_script;
    int32_t type_debug;
    int32_t type_fixed_array;
    int32_t type_bytes;
    int32_t type_trusted_bytes;
    int32_t type_bytecodes;
    int32_t type_code;
    int32_t type_stream;     /* the instructions of a Code */
    int32_t type_not_string; /* the first one */
    int32_t type_symbol;
    int32_t type_global; /* its proxy; all objects behind it can have a constructor */
    int32_t type_regexp;
    int32_t type_array;
    int32_t frame_entry; /* types of frames */
    int32_t frame_construct_entry;
    int32_t frame_exit; /* to C++, but for a builtin */
    int32_t frame_stub; /* of V8's own code that is no function */
    int32_t frame_stub_in_context;
    int32_t frame_construct; /* of `new` */
    int32_t frame_fast_construct;
    int32_t frame_builtin_exit;
    int32_t kind_baseline; /* of code; the next ones are Maglev and TurboFan */

    /* From v8_offsets.def. */
    int32_t exit_frame;    /* of the isolate: c_entry_fp */
    int32_t fast_frame;    /* fast_c_call_caller_fp, its pc before it; 0: there is none */
    int32_t function_code; /* 0: it has a handle of one */
    int32_t bytecodes_data;
    int32_t bytecodes_table;
    int32_t code_deopt;
    int32_t code_table;
    int32_t code_start; /* a pointer; with stream_code 0 the instructions themselves */
    int32_t code_size;
    int32_t code_flags;
    int32_t stream_code; /* the Code of an InstructionStream; 0: they are one object */
    int32_t scope_first; /* ScopeInfo: words after the map that each has */
    int32_t scope_has_receiver;
    int32_t descriptors_first;
    int32_t deopt_literals; /* words after the array's header */
    int32_t deopt_positions;
    int32_t deltas;           /* enum lh_v8_deltas */
    int32_t has_translations; /* inlined functions are told by the deoptimisation data */
    int32_t builtin_receiver; /* from the frame pointer of a builtin that is written in C++ */
};

/* The bytecodes of a version: bytes of each in its three widths, one behind the other. */
struct lh_v8_bytecodes {
    const uint8_t *sizes;
    uint32_t count;
};

/* All that is known of a V8. */
struct lh_v8_layout {
    struct lh_v8_offsets at;
    struct lh_v8_bytecodes bytecodes;
    bool has_positions; /* its row is of this very version: false: function starts at most */
    uintptr_t text;     /* code that is in a file, V8's builtins among it … */
    uintptr_t text_end; /* … in which no code is that was made at run time */
};

/* Fills in what has a row: that of this version (904 for 9.4), or, for what may still be read where
 * there is none, the nearest one before it. Any thread. */
void lh_v8_offsets_find(uint32_t version, struct lh_v8_layout *layout);

#endif

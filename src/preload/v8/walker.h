/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk over a thread's JavaScript frames carries with it. Plain data. */
#ifndef LH_PRELOAD_V8_WALKER_H
#define LH_PRELOAD_V8_WALKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"
#include "preload/sys/view.h"
#include "preload/v8/offsets.h"

#define LH_V8_MAPS        64u
#define LH_V8_NAMES       64u
#define LH_V8_CHUNK       4096u
#define LH_V8_READS_MAX   2000u         /* of one walk: as often the kernel is asked … */
#define LH_V8_TABLE_MAX   (128u * 1024) /* bytes of tables that it goes through, 8 ns each */
#define LH_V8_SOURCE_MAX  (256u * 1024) /* bytes of sources that a walk looks through for lines */
#define LH_V8_CODE_MAX    (2u << 20) /* bytes in which it looks for where a function's code begins */
#define LH_V8_NAME_MAX    95u        /* bytes kept of a function's name … */
#define LH_V8_REGEXP_MAX  80u        /* … of a regular expression's source … */
#define LH_V8_SCRIPT_MAX  255u       /* … and of a file's */
#define LH_V8_SCOPE_WORDS 224u
#define LH_V8_INLINED_MAX 32u

/* … if that takes no longer, of a processor. Tests that count have longer. */
#ifndef LH_V8_WALK_NS
#define LH_V8_WALK_NS 3000000
#endif

/* Where the lines of a source have been counted up to. */
struct lh_v8_counted {
    uintptr_t source; /* 0: of none */
    uint32_t position;
    uint32_t line;  /* ends of lines before it */
    uint32_t begin; /* of the line that it is in */
    uint32_t last;  /* character before it */
};

#define LH_V8_COUNTED 8u

/* A function that was inlined, or the one into which others were. */
struct lh_v8_inlined {
    int32_t op;
    int64_t offset;
    int64_t shared;
    int64_t bytecodes;
    uintptr_t function;
};

/* Where an instruction is in the source: functions call themselves. */
struct lh_v8_placed {
    uintptr_t bytecodes; /* 0: there is none */
    int64_t offset;
    uint32_t position; /* as struct lh_v8_position has it */
};

#define LH_V8_PLACED 16u

/* A frame whose objects are fetched before it is looked at. */
struct lh_v8_ahead {
    uintptr_t function;
    uintptr_t bytecodes;
    uintptr_t shared;
};

/* The memory of a walk: too much for a program's stack. */
struct lh_v8_scratch {
    struct {
        uintptr_t map;
        int32_t type;
    } maps[LH_V8_MAPS];
    uintptr_t meta_map;            /* the map of maps */
    uintptr_t code_map;            /* of what code is in */
    uintptr_t names[LH_V8_NAMES];  /* strings that are in the record … */
    uint16_t name_at[LH_V8_NAMES]; /* … and where */
    struct lh_v8_counted counted[LH_V8_COUNTED];
    uint32_t counted_next;
    uintptr_t scope[LH_V8_SCOPE_WORDS];
    uintptr_t code[LH_V8_CHUNK / sizeof(uintptr_t)];
    uint8_t entries[2 * LH_V8_CHUNK];
    uint8_t source[LH_V8_CHUNK * 2];
    struct lh_v8_inlined inlined[LH_V8_INLINED_MAX];
    uint8_t table[LH_V8_CHUNK];
    struct lh_v8_placed placed[LH_V8_PLACED];
    struct lh_v8_ahead ahead[LH_JS_FRAMES];
    _Atomic uint32_t taken; /* 1: a walk has it */
};

/* How the tables of positions that a walk has read end: see positions.h. */
struct lh_v8_proof {
    uint32_t tables;
    uint32_t fitting;
};

struct lh_v8_walk {
    const struct lh_view *view;
    const struct lh_v8_layout *layout;
    struct lh_v8_scratch *scratch;
    struct lh_record *record;
    uint32_t most;        /* frames */
    uint32_t reads_left;  /* of LH_V8_READS_MAX */
    int64_t end_ns;       /* when LH_V8_WALK_NS are over, by the thread's clock; 0: not known yet */
    uint32_t table_left;  /* of LH_V8_TABLE_MAX */
    uint32_t source_left; /* of LH_V8_SOURCE_MAX */
    uint32_t code_left;   /* of LH_V8_CODE_MAX */
    uintptr_t regexp;     /* that V8's own code, inside of the first function, works on; 0: none */
    struct lh_v8_proof proof;
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of events comes to, as plain tables in memory: what every format is written from.
 *
 * A writer reads the tables and nothing else. Main thread of the command.
 *
 * - A number of a string, frame or stack that is 0 stands for "none"; the others are indexes. The
 *   numbers of events, places, processes and threads begin with 0.
 * - All strings are valid UTF-8 without NUL, of LH_EXPORT_STRING_MAX bytes at most, and otherwise
 *   whatever somebody has written: each writer escapes them as its format wants it.
 * - Times are ns since 1970, durations ns; both have come from microseconds.
 * - Memory is bounded (LH_EXPORT_*_MAX), whatever the size of what is read: of more events than fit
 *   the shortest are left out. `left_out` counts what is not here; places count all of them. */
#ifndef LH_CLI_EXPORT_MODEL_H
#define LH_CLI_EXPORT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/export.h"
#include "collect/stack/frame_kind.h"

#define LH_EXPORT_STRING_MAX 4096u /* bytes of one string; what is longer is cut */

/* What the tables hold at most: about 200 MB all together. */
#define LH_EXPORT_EVENTS_MAX    (1u << 18)
#define LH_EXPORT_PARTS_MAX     (1u << 20)
#define LH_EXPORT_NODES_MAX     (1u << 20)
#define LH_EXPORT_FRAMES_MAX    (1u << 17)
#define LH_EXPORT_STRINGS_MAX   (1u << 19)
#define LH_EXPORT_TEXT_MAX      (40u << 20) /* bytes of all strings */
#define LH_EXPORT_PLACES_MAX    (1u << 16)
#define LH_EXPORT_PROCESSES_MAX (1u << 16)
#define LH_EXPORT_THREADS_MAX   (1u << 16)

/* A frame; two with the same content are one. */
struct lh_export_frame {
    uint32_t name;     /* what a person reads: the function, or "module+0x1f", or the language */
    uint32_t function; /* string; 0: not known. Likewise the others */
    uint32_t file;
    uint32_t module;  /* path of the ELF file */
    uint32_t source;  /* the text of the line; of few frames */
    uint32_t library; /* that it belongs to, and ... */
    uint32_t version; /* ... the version of that */
    uint32_t line;    /* 0: not known */
    uint64_t offset;  /* in the module; 0: not known */
    uint8_t lang;     /* enum lh_lang */
    uint8_t kind;     /* enum lh_frame_kind: whose code it is */
    bool inlined;
    bool user; /* the first frame of the user's own code */
    bool api;  /* what was called there */
};

/* Stacks are paths in one tree: a stack is the number of its innermost node. */
struct lh_export_node {
    uint32_t outer; /* the stack of what called it; 0: it is the outermost */
    uint32_t frame;
    /* The same stack as a flame view is to show it: without frames of the interpreter and of our
     * own, from the loop's boundary (boundary.h) on, where there is one. Itself, where nothing is
     * left out; 0: nothing is left. */
    uint32_t flame;
    bool in_loop; /* its outermost frame is the loop's boundary */
};

/* A process, from its `start` line on; after an exec it is another one. */
struct lh_export_process {
    uint32_t pid;
    uint32_t run; /* strings */
    uint32_t host;
    uint32_t exe;
    uint32_t service;
    uint32_t runtime;  /* "CPython 3.11.2" */
    uint32_t argv;     /* with spaces between */
    uint32_t warnings; /* what cannot be seen there, in lines */
    uint32_t why;      /* why nothing was watched */
    uint32_t cwd;
    uint32_t root; /* the directory of the project */
    uint64_t threshold_ns;
    uint64_t blocks; /* these as its summary counts them; 0 where there is none */
    uint64_t stalls;
    uint64_t suppressed;
    uint64_t dropped;
    uint64_t blocked_ns;
    bool has_summary;
    bool strict;
};

/* A loop thread. */
struct lh_export_thread {
    uint32_t process; /* number */
    uint32_t tid;
    uint32_t name;
    uint32_t how; /* the call in which it waits, as `loop` says it; 0: no such line was read */
    int32_t fd;   /* its epoll set; -1: none is known */
};

/* Some time of an event, and the stack that it was spent in. */
struct lh_export_part {
    uint32_t stack; /* 0: nobody saw it */
    uint64_t ns;
};

/* Where the time of a stall went. */
struct lh_export_split {
    uint64_t oncpu_ns;
    uint64_t blocked_ns; /* in calls that were no blocks by themselves */
    uint64_t runqueue_ns;
    uint64_t throttled_ns; /* of runqueue_ns */
    uint64_t gil_ns;
};

enum lh_export_kind { LH_EXPORT_BLOCK, LH_EXPORT_STALL };

/* A block or stall. An `inflight` line and the block or stall that follows are one; of a wait whose
 * end was never read the last `inflight` line stands for it. */
struct lh_export_event {
    int64_t start_ns; /* of a stall: when its iteration began, its blocks counted */
    int64_t end_ns;
    uint64_t duration_ns; /* of a stall: without its blocks */
    /* What it weighs in flame views and totals: duration_ns, and in strict mode what its repeated
     * calls at the same place took. The sum of its parts. */
    uint64_t weight_ns;
    uint64_t waited_ns;  /* the longest that a victim waited */
    uint32_t count;      /* calls that it stands for: 1, or with those that were repeated */
    uint32_t id;         /* in its process */
    uint32_t thread;     /* numbers */
    uint32_t place;      /* LH_EXPORT_NO_PLACE: the table of places is full */
    uint32_t first_part; /* of model->parts: a block has one, a stall one for each sample */
    uint32_t part_count; /* at least 1 */
    uint32_t split;      /* of model->splits; LH_EXPORT_NO_SPLIT: it has none */
    uint32_t call;       /* strings. libc's name of the call; 0: a stall */
    uint32_t group;
    uint32_t error;    /* "ETIMEDOUT" */
    uint32_t resource; /* "socket 10.0.0.7:443", "file /etc/hosts" */
    uint32_t task;     /* "Task-5 (Shop.price)", or a callback: "refresh (timer)" */
    uint32_t work;     /* what the runtime did for itself: "V8's compiler, 120 ms" */
    uint32_t test;
    uint32_t trace; /* trace id of OpenTelemetry, and the span's */
    uint32_t span;
    uint32_t labels; /* "key=value, key=value" */
    uint32_t holder; /* the thread that had the lock: "worker (4711)" */
    uint32_t holder_stack;
    uint32_t note;    /* why names are missing in the stack */
    uint32_t victims; /* descriptors that were ready when it ended */
    uint8_t kind;     /* enum lh_export_kind */
    bool strict;      /* of strict mode: it could have waited */
    bool unended;     /* the program ended in it, or the events ended before it */
    bool in_flight;   /* and that is a line `inflight` */
    bool severe;      /* severity is error */
    bool known;       /* its place is in the baseline */
    bool suppressed;  /* a rule keeps it quiet: no part of totals and flame views */
    bool deadlock;    /* its holder waits for it */
};

#define LH_EXPORT_NO_PLACE UINT32_MAX
#define LH_EXPORT_NO_SPLIT UINT32_MAX

/* Events at one place, as `loophound report` groups them: call, file, function, api, source line.
 * What is suppressed has places of its own. Counted from all events, also those left out. */
struct lh_export_place {
    uint32_t what;        /* string: the call, "stall", "poll (no end)" */
    uint32_t where;       /* "app.py:12 handler"; "?": nobody saw it */
    uint32_t fingerprint; /* 16 hexadecimal digits; 0: not known */
    uint32_t call;        /* 0: stalls */
    uint32_t group;
    uint32_t file;
    uint32_t function;
    uint32_t api;     /* the function that was called there */
    uint32_t source;  /* the text of the line */
    uint32_t library; /* that the place, or what was called there, belongs to; and its version */
    uint32_t version;
    uint32_t advice; /* a sentence, and the rule of ruff */
    uint32_t rule;
    uint32_t quiet;   /* of suppressed ones: the rule that keeps them so */
    uint32_t line;    /* 0: not known */
    uint32_t victims; /* most that waited for one of them */
    /* These of the longest one: */
    uint32_t stack;
    uint32_t thread;
    uint32_t resource;
    uint32_t holder;
    uint32_t task;
    uint32_t test;
    int64_t worst_start_ns;
    uint64_t worst_ns;
    uint64_t total_ns; /* of all weights */
    uint64_t count;
    uint8_t kind; /* enum lh_export_kind */
    uint8_t lang; /* enum lh_lang, of the place */
    bool strict;
    bool severe; /* one of them is */
    bool known;
    bool suppressed;
};

struct lh_export_left_out {
    uint64_t events; /* that the tables have no room for, the shortest */
    uint64_t events_ns;
    uint64_t frames; /* of stacks: these have lost their innermost ones */
    uint64_t strings;
    uint64_t places;  /* events of places that are not in the table */
    uint64_t threads; /* events of threads or processes that are not */
    uint64_t missing; /* lines of stacks and frames that are not there */
    uint64_t outside; /* events of another time than was asked for */
};

struct lh_export_totals {
    uint64_t blocks; /* these without what is suppressed */
    uint64_t stalls;
    uint64_t blocks_ns;
    uint64_t stalls_ns;
    uint64_t suppressed;
    int64_t first_ns; /* when the first began and the last ended; INT64_MAX, INT64_MIN: none did */
    int64_t last_ns;
};

struct lh_export_model {
    struct lh_export_event *events; /* those that began first come first */
    uint32_t event_count;
    struct lh_export_part *parts;
    uint32_t part_count;
    struct lh_export_split *splits;
    uint32_t split_count;
    struct lh_export_place *places; /* the largest total first */
    uint32_t place_count;
    struct lh_export_thread *threads;
    uint32_t thread_count;
    struct lh_export_process *processes;
    uint32_t process_count;
    struct lh_export_frame *frames; /* from 1 on; likewise the next */
    uint32_t frame_count;
    struct lh_export_node *nodes;
    uint32_t node_count;
    struct lh_export_totals totals;
    struct lh_export_left_out left_out;
    uint32_t top;                    /* most places that formats of places show; 0: all. `--top` */
    struct lh_export_tables *tables; /* what only model.c looks at */
};

/* The string of a number; NULL of 0. Or "". Valid while the model is. */
const char *lh_export_string(const struct lh_export_model *model, uint32_t number);
const char *lh_export_text(const struct lh_export_model *model, uint32_t number);

/* How many strings there are, for tables beside the model: their numbers are below. */
uint32_t lh_export_string_count(const struct lh_export_model *model);

/* What it is called: its call, or "stall". */
const char *lh_export_what(const struct lh_export_model *model, uint32_t call);

/* The file that a frame's or place's name stands for on this disk: a relative one is from the
 * directory of the process on. NULL: it is none ("<string>", "node:fs"). `room` outlives it. */
#define LH_EXPORT_PATH_BYTES (2 * LH_EXPORT_STRING_MAX)
const char *lh_export_path(const struct lh_export_model *model, uint32_t process, uint32_t file,
                           char room[LH_EXPORT_PATH_BYTES]);

/* The root of the sources, without a slash at its end: of the first process that names one, or its
 * working directory; "": none does. */
const char *lh_export_root(const struct lh_export_model *model);

/* A path as a person or a pipeline wants it: from the root on, or as it is. */
const char *lh_export_relative(const struct lh_export_model *model, const char *path);

/* How many places a format shows: all, or model->top. Suppressed ones are counted too. */
uint32_t lh_export_places_shown(const struct lh_export_model *model);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* An event with all there is to say about it, as plain data: what the formats are written from.
 *
 * Nothing here owns memory. Any thread, in the program and in the collector. */
#ifndef LH_COMMON_EVENT_H
#define LH_COMMON_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/noise.h"
#include "common/record.h"
#include "common/work.h"

#define LH_EVENT_VERSION 1 /* of what is written: "v" of each line */

enum lh_lang { LH_LANG_PYTHON, LH_LANG_NATIVE, LH_LANG_JIT };
#define LH_LANG_COUNT (LH_LANG_JIT + 1)

/* Why a stack does not go on to the outermost frame. */
enum lh_cut {
    LH_CUT_NONE,
    LH_CUT_BYTES,       /* what called it was not in the copy of the stack */
    LH_CUT_FRAMES,      /* there are more frames than are reported */
    LH_CUT_INTERPRETER, /* it does, without CPython's own frames, for there were too many */
};

/* What a function of V8's own is at. */
struct lh_about {
    enum lh_js_about kind;
    const char *text; /* a regular expression's source */
    uint64_t amount;  /* bytes of a text, elements of an array */
};

/* One frame of a stack as it is reported; what is unknown is NULL or 0. */
struct lh_frame {
    enum lh_lang lang;
    const char *function;
    const char *file;
    uint32_t line;
    uint32_t column;            /* from 1 on; of JavaScript alone */
    const char *generated_file; /* the script that `file`, `line` and `column` were looked up for in
                                   its source map; NULL: in none */
    uint32_t generated_line;    /* in that */
    const char *of_class;       /* of JavaScript: what `function` was called on; NULL: not known */
    struct lh_about about;      /* of JavaScript: what it is at */
    bool at_start;              /* line and column are where the function begins */
    const char *directory;      /* in which a relative `file` is; NULL: the working directory */
    const char *module;         /* path of the ELF file */
    uint64_t offset;            /* address inside the module, as its symbol table counts */
    bool inlined;               /* into the next frame, which has the same address */
    bool user;                  /* the first frame of the user's own code */
    bool api;                   /* what was called at the place to look at */
    uint8_t kind;               /* enum lh_frame_kind; 0: not asked for yet */
    uint8_t cut;          /* enum lh_cut, of the last one: why those that called it are missing */
    const char *source;   /* the text of the line, without the space around it; of few frames */
    const char *library;  /* that it belongs to, and … */
    const char *version;  /* … the version of that; outlive the report */
    const char *build_id; /* hexadecimal; only where the function is not known */
};

/* Frames that were seen, and how long they stand for. */
struct lh_sample {
    uint64_t ns;
    uint64_t work_ns[LH_WORK_COUNT]; /* of these, what the runtime did for itself */
    uint32_t count;                  /* the same in units of LH_SAMPLE_NS, at least 1 */
    uint32_t frame_count;
    const struct lh_frame *frames;
};

/* A thread that has what a loop thread waits for. */
struct lh_holder {
    uint32_t tid;
    char thread[LH_THREAD_NAME];
    bool deadlock; /* and waits for that thread in turn */
    bool running;  /* when it was looked at: then it has Python frames at most */
    uint32_t frame_count;
    const struct lh_frame *frames;
};

#define LH_CANDIDATES_SHOWN 5u

/* What a loop thread waits for in Python's terms. */
struct lh_waits_for {
    enum lh_awaited_kind kind;
    bool is_own;   /* it has it itself, or is to run it … */
    bool for_ever; /* … and waits without a time-out */
    uint64_t address;
    const char *coroutine; /* of a future: what is to set its result; NULL: not known */
    struct lh_suspended {
        const char *task; /* its name and its coroutine's; NULL: not known */
        const char *coroutine;
        const struct lh_frame *frame; /* of that, or of what it awaits; NULL: there is none */
    } suspended;                      /* the task of its own loop that has it */
    uint32_t candidate_count;
    struct lh_shown_candidate {
        uint32_t tid;
        char thread[LH_THREAD_NAME];
        bool within; /* it is in a `with` statement of it … */
        bool names;  /* … or has it in a local variable … */
        bool deadlock;
        const struct lh_frame *frame;  /* the innermost of the user's code */
    } candidates[LH_CANDIDATES_SHOWN]; /* who may have it, where it has no owner */
};

/* What waited for the loop meanwhile. */
struct lh_victims {
    uint32_t ready;     /* descriptors that the next park found ready at once */
    bool more;          /* there may have been more: it was asked for no more */
    uint64_t waited_ns; /* none of them has waited longer because of this block or stall */
};

/* Where stacks go that are written once, beside the events. Gives the id by which an event names
 * this one. */
struct lh_stack_book {
    uint64_t (*put)(struct lh_stack_book *book, const struct lh_frame *frames, uint32_t count);
};

/* What a person can do about it. */
struct lh_advice {
    const char *rule; /* of ruff, which finds it without running it; NULL: it has none */
    const char *text; /* a sentence without a full stop */
};

struct lh_rule;

/* Is its place in the baseline? There may be none. */
enum lh_known_place { LH_PLACE_UNASKED, LH_PLACE_NEW, LH_PLACE_KNOWN };

/* What the rules have done in one process. */
struct lh_quiet {
    const struct lh_rule *rules;
    const uint64_t *uses; /* of each of them: how many blocks and stalls it has matched */
    uint32_t rule_count;
    uint64_t suppressed; /* blocks and stalls that were kept quiet */
    uint64_t known;      /* those at places of the baseline, of the others … */
    bool has_baseline;   /* … where there is one */
};

/* All there is to say about one record. What there is none of is NULL or 0. */
struct lh_report {
    struct lh_stack_book *book;     /* NULL: stacks are written in the event */
    const struct lh_record *record; /* anything but samples, holders and victims */
    const struct lh_frame *frames;  /* of a block, also of one in flight: innermost first */
    uint32_t frame_count;
    uint64_t stack_number; /* of `frames`: an equal one, in this process, has equal frames; 0:
                              nothing is known of that */
    uint64_t threshold_ns;
    uint64_t fingerprint;            /* of the place; 0: not known */
    enum lh_no_stack no_stack;       /* why there are no frames and no samples */
    const struct lh_sample *samples; /* of a stall: those that stand for most first */
    uint32_t sample_count;
    const struct lh_sample *groups; /* of a stall: what samples have in common, likewise */
    uint32_t group_count;
    const struct lh_holder *holder;
    const struct lh_waits_for *waits_for;
    const struct lh_victims *victims;
    const char *callback; /* of the event loop, that ran; NULL: a task did, or it is not known … */
    const char *callback_kind;        /* … and what Node.js called it for; NULL: not known */
    enum lh_work work;                /* what the runtime did for itself in `frames` */
    const struct lh_advice *advice;   /* NULL: nothing is known that would help */
    const char *note;                 /* why names are missing in the stack, and how to get them */
    const struct lh_rule *suppressed; /* the rule that keeps it quiet; NULL: none does */
    enum lh_known_place known;
    enum lh_noise noise; /* the class of a call of strict mode … */
    bool noise_is_on;    /* … which keeps it quiet, unless a rule with `!` wants it told */
    bool unended;        /* of a block or stall: it lasted when the program or its watching ended */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: which blocks and stalls are to be quiet, and which never. docs/rules.md has the language.
 *
 * Plain data, which points into the text that it was read from. Used by the library inside the
 * program and by the collector: no malloc, no stdio, no locale. Any thread. */
#ifndef LH_COMMON_RULES_H
#define LH_COMMON_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/text.h"

enum lh_condition {
#define CONDITION(name, ...) LH_CONDITION_##name,
#include "conditions.def"
    LH_CONDITION_COUNT
};

#define LH_RULE_PARTS 8u /* most conditions of one rule */

/* A part of a text, without a NUL. */
struct lh_span {
    const char *text;
    uint32_t length;
};

struct lh_rule_part {
    enum lh_condition condition;
    struct lh_span glob;     /* the value; of a place its file or module … */
    struct lh_span function; /* … and its function; length 0: any */
    uint64_t ns;             /* of a duration */
};

struct lh_rule {
    bool always; /* begins with `!`: what matches is reported, whatever else says */
    uint32_t part_count;
    struct lh_rule_part parts[LH_RULE_PARTS]; /* all must hold */
    struct lh_span text;                      /* the rule as it was written, without its reason */
    struct lh_span reason;                    /* length 0: none was given */
    const char *file;                         /* where it was written: a file, or a variable … */
    uint32_t line;                            /* … and its line there, from 1 */
};

/* What is wrong with a rule. */
struct lh_rule_problem {
    uint32_t line;
    uint32_t column; /* in characters, from 1 */
    struct lh_span found;
    const char *expected; /* part of a sentence */
};

/* Where a text is read. */
struct lh_rule_reader {
    const char *at;
    const char *begin; /* of the line */
    const char *end;   /* of the text */
    const char *file;
    uint32_t line;
    bool semicolons; /* these end a rule, too */
};

/* `file` outlives the rules, as does the text. */
void lh_rule_reader_init(struct lh_rule_reader *reader, const char *text, size_t length,
                         const char *file, bool semicolons);

/* The next rule. 1: there is one; 0: the text has ended; -EINVAL: it is none, and *problem says
 * why. The one after it can be read all the same. */
int lh_rule_read(struct lh_rule_reader *reader, struct lh_rule *rule,
                 struct lh_rule_problem *problem);

/* The line about it, and its newline:
 *   loophound: quiet.txt:3:7: "clal:flock": expected a condition such as call:flock; … */
void lh_rule_problem_text(struct lh_text *line, const char *file,
                          const struct lh_rule_problem *problem, const char *now);

/* What is known of a block or a stall; what is not is NULL, and no condition on it holds. */
struct lh_rule_facts {
    const char *call;   /* the canonical name; of a stall NULL … */
    const char *symbol; /* … as this, the name that was called */
    const char *group;
    const char *type; /* "block" or "stall" */
    const char *path;
    const char *peer;
    const char *host;
    const char *fd; /* its kind */
    const char *thread;
    const char *task;
    const char *coroutine;
    const char *callback;
    const char *test;
    const char *phase;
    const char *noise;
    const struct lh_frame *frames; /* innermost first */
    uint32_t frame_count;
    uint32_t at;          /* the nearest of them outside the standard library; frame_count: none */
    uint32_t place;       /* the one that the report points at; frame_count: none */
    uint64_t duration_ns; /* LH_UNKNOWN: not known */
    bool main_thread;
};

bool lh_rule_matches(const struct lh_rule *rule, const struct lh_rule_facts *facts);

/* The same where not all is known: what is not in the facts holds. No frames: they are not known.
 */
bool lh_rule_may_match(const struct lh_rule *rule, const struct lh_rule_facts *facts);

/* Is this file of Python's own modules? */
bool lh_is_standard_python(const char *file);

#endif

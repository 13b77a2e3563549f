/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of loophound diff: two runs, or two baselines, compared by place. Main thread. */
#ifndef LH_CLI_DIFF_H
#define LH_CLI_DIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/report.h"

/* What places are compared by. */
enum lh_diff_measure {
    LH_DIFF_TIME,   /* milliseconds a minute that was watched */
    LH_DIFF_COUNT,  /* how often: of strict mode, or where it is not known how long was watched */
    LH_DIFF_PLACES, /* of baselines: that they are there */
};

struct lh_diff_rows {
    struct lh_offence *row; /* by key, ascending; their strings are the side's */
    uint32_t count;
};

/* One of the two. Zeroed but for its name, then read, then freed. */
struct lh_diff_side {
    const char *name;
    bool baseline;
    bool strict;        /* some of it ran in strict mode */
    uint64_t endless;   /* programs of which it is not known how long they were watched */
    double watched_s;   /* of the others, together */
    uint64_t programs;  /* in which a loop was watched */
    uint64_t unwritten; /* reports that the programs counted, and that are not in it */
    struct lh_diff_rows rows;
    struct lh_diff_source *source;
};

/* 0, or the exit status once it has said what is wrong. */
int lh_diff_side_read(struct lh_diff_side *side);
void lh_diff_side_free(struct lh_diff_side *side);

/* What is worse: it grew by more than this share of what it was, and was seen so often. */
struct lh_diff_rule {
    double margin;
    uint64_t least;
};

enum lh_diff_kind { LH_DIFF_NEW, LH_DIFF_WORSE, LH_DIFF_SAME, LH_DIFF_BETTER, LH_DIFF_GONE };
#define LH_DIFF_KINDS 5

/* A place that is in one of the two, or in both. */
struct lh_diff_change {
    enum lh_diff_kind kind;
    double by;                       /* of the measure; of what is gone it is negative */
    const struct lh_offence *before; /* NULL: it is new */
    const struct lh_offence *after;  /* NULL: it is gone */
};

struct lh_diff {
    const struct lh_diff_side *a;
    const struct lh_diff_side *b;
    enum lh_diff_measure measure;
    struct lh_diff_change *changes; /* the worst first */
    uint32_t count;
    uint32_t of[LH_DIFF_KINDS]; /* how many there are of each kind */
    double net;
    int status; /* that it ends with, where --fail was given */
    bool fail;
};

const char *lh_diff_kind_name(enum lh_diff_kind kind);

/* 0 or -ENOMEM. */
int lh_diff_compare(struct lh_diff *diff, const struct lh_diff_rule *rule);

/* What the places are measured in: "ms/min"; "": nothing. */
const char *lh_diff_unit(const struct lh_diff *diff);

/* A millisecond figure of either form below, rounded as a person would. */
void lh_diff_number(char text[32], double number);

typedef void lh_diff_print(const struct lh_diff *diff);
lh_diff_print lh_diff_print_text;
lh_diff_print lh_diff_print_markdown; /* a comment on a pull request */
lh_diff_print lh_diff_print_json;     /* one object */

#endif

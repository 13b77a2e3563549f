/* SPDX-License-Identifier: Apache-2.0 */
/* Which reports are quiet, which are known, and what all of a run comes to.
 *
 * One for a run, or for the one program of a collector that it started. Collector, any thread,
 * unless it says otherwise. */
#ifndef LH_COLLECT_REPORT_JUDGE_H
#define LH_COLLECT_REPORT_JUDGE_H

#include "collect/report/new_place.h"
#include "collect/report/rule_set.h"
#include "collect/report/rulings.h"
#include "common/calls.h"
#include "common/ring.h"

struct lh_judge;

struct lh_judge_setup {
    const char *suppress; /* as in struct lh_options; "": none */
    const char *allow;
    const char *baseline;
    const char *cwd;     /* where relative names begin; "": here */
    const char *now;     /* what happens where something is wrong: "nothing started" */
    bool fresh_baseline; /* there is one, and it is empty: its file is not read */
};

/* NULL: no memory. What is wrong with the rules is in `problem`, a line each, and *error is not 0.
 */
struct lh_judge *lh_judge_new(const struct lh_judge_setup *setup, struct lh_text *problem,
                              int *error);
void lh_judge_free(struct lh_judge *judge); /* one thread, once nobody judges any more */

/* What was judged in one process. */
struct lh_judged {
    struct lh_quiet quiet;
    struct lh_totals left_out;              /* what the suppressed ones and noise come to */
    struct lh_rulings rulings;              /* of strict mode */
    _Atomic uint64_t noise[LH_NOISE_COUNT]; /* calls that were found to be noise here */
    uint64_t uses[];                        /* of the suppressions, then of the baseline's rules */
};

struct lh_judged *lh_judged_new(const struct lh_judge *judge); /* NULL: no memory */

/* Adds its uses of the rules to those of the run. */
void lh_judged_free(struct lh_judge *judge, struct lh_judged *judged);

/* Sets `suppressed` and `known` of a block or stall, and counts where it is one that has ended.
 * `main_tid` as in facts.h, `cwd`: where the program's relative names begin. False: it is noise, of
 * which the library could not know. It is counted as such, and not told. */
bool lh_judge_take(struct lh_judge *judge, struct lh_judged *judged, struct lh_report *report,
                   uint32_t main_tid, const char *cwd);

/* The place of a report of strict mode was met `again` times more, which took `elapsed_ns` in all:
 * all of these are what the report was. The rules' uses stay as they are: they count reports.
 * False: as above. */
bool lh_judge_repeat(struct lh_judge *judge, struct lh_judged *judged, uint64_t id, uint64_t again,
                     uint64_t elapsed_ns);

/* Takes what was suppressed off the totals of this process, and puts noise where it belongs. */
void lh_judged_leave_out(const struct lh_judged *judged, struct lh_totals *totals);

/* Blocks and stalls that have ended and were told. */
struct lh_tally {
    uint64_t count;
    uint64_t total_ns;
    uint64_t worst_ns;
};

#define LH_TALLY_STALLS LH_GROUP_COUNT /* behind the groups of calls */

/* What all processes come to. */
struct lh_verdict {
    const struct lh_rule_set
        *rules; /* suppressions; uses are in the same order, of processes that have ended */
    const struct lh_rule_set *baseline;
    const uint64_t *rule_uses;
    const uint64_t *baseline_uses;
    bool has_baseline;
    uint64_t suppressed_blocks;
    uint64_t suppressed_stalls;
    uint64_t known_blocks;
    uint64_t known_stalls;
    uint64_t placeless;               /* neither known nor new places: they have no stack */
    struct lh_new_place **new_places; /* by their rules */
    uint32_t new_count;
    struct lh_tally tallies[LH_GROUP_COUNT + 1]; /* of all but the suppressed ones */
};

/* Once nobody judges any more; valid as long as the judge is. */
void lh_judge_verdict(struct lh_judge *judge, struct lh_verdict *verdict);

#endif

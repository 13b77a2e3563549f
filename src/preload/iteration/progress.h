/* SPDX-License-Identifier: Apache-2.0 */
/* Iterations that are reported while they last: when, and under which id. Any thread: the loop's
 * own and the watchdog may come to it at once, and one of them reports. */
#ifndef LH_PRELOAD_ITERATION_PROGRESS_H
#define LH_PRELOAD_ITERATION_PROGRESS_H

#include "preload/state/state.h"

struct lh_progress {
    uint64_t id;         /* of the stall that it is, or becomes */
    uint64_t elapsed_ns; /* its age without what its blocks have told */
    uint64_t age_ns;
};

/* Is this iteration, whose age without what its blocks tell is progress->elapsed_ns, to be reported
 * now? It is at the threshold and at doubling times after it. Sets the id. */
bool lh_progress_should_report(struct lh_slot *slot, uint64_t iteration_id,
                               struct lh_progress *progress);

/* The age of the iteration, in ns, as the watchdog sees it. */
uint64_t lh_progress_age_ns(const struct lh_slot *slot);

/* The age of the iteration without what its blocks have told, in ns, as the watchdog sees it. */
uint64_t lh_progress_elapsed_ns(const struct lh_slot *slot, uint64_t iteration_id);

/* The age at which it is to be told next. */
uint64_t lh_progress_due_ns(const struct lh_slot *slot, uint64_t iteration_id);

/* The same of the iteration that the calling thread is in; works out elapsed_ns. */
bool lh_progress_should_report_own(struct lh_slot *slot, struct lh_progress *progress);

/* A wait for the GIL is many short ones: between two of them, and at a signal within one, the
 * thread seems to run. The watchdog notes that it saw one, and what the thread's CPU clock said;
 * the iteration waits for the GIL until it has run for as long as a sample stands for. */
void lh_progress_note_gil(struct lh_slot *slot, uint64_t iteration_id, uint64_t cpu_ns);
bool lh_progress_waits_for_gil(const struct lh_slot *slot, uint64_t iteration_id, uint64_t cpu_ns);

/* The id under which this iteration has been reported; 0: it has not. */
uint64_t lh_progress_id(const struct lh_slot *slot, uint64_t iteration_id);

#endif

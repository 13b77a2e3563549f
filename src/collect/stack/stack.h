/* SPDX-License-Identifier: Apache-2.0 */
/* From a record's raw copy to the stack that is reported: unwinding, symbols, Python frames merged.
 */
#ifndef LH_COLLECT_STACK_STACK_H
#define LH_COLLECT_STACK_STACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/stack/unwound.h"
#include "common/event.h"
#include "common/ring.h"

/* The modules and symbols of one watched process. */
struct lh_stacks;

/* `maps_fd` is an open /proc/PID/maps of the process (owned by the result from now on; it may be
 * re-read while the process lives). `project` is LOOPHOUND_PROJECT (frame_kind.h), and outlives the
 * result. NULL: out of memory. */
struct lh_stacks *lh_stacks_open(pid_t pid, int maps_fd, const char *project);
void lh_stacks_close(struct lh_stacks *stacks);

/* Builds the stack of a checked record, innermost first, at most `most` frames; our own wrapper is
 * not part of it. Returns the number of frames. What the frames point to is valid until the next
 * call, or lh_stacks_let_go(). Never fails: what cannot be resolved stays NULL or 0. */
uint32_t lh_stacks_build(struct lh_stacks *stacks, const struct lh_record *record,
                         struct lh_frame *frames, uint32_t most);

/* Of the stack that was built last: as long as `most` is the same, equal numbers are of equal
 * frames. 0: nothing is known of that; so it is for stacks with frames of Python, JavaScript or
 * made code. */
uint64_t lh_stacks_number(const struct lh_stacks *stacks);

/* How many stacks were known before they were unwound. */
struct lh_unwound_counts lh_stacks_counts(const struct lh_stacks *stacks);

/* What the frames point to is not looked at any more. It may be given up from now on. */
void lh_stacks_let_go(struct lh_stacks *stacks);

/* The same, and gives up what can be read again of this process alone: its map of made code. */
void lh_stacks_give_up(struct lh_stacks *stacks);

/* Is there a perf map of a process that had the same number before? It is not used. */
bool lh_stacks_old_map(const struct lh_stacks *stacks);

/* A script of which something cannot be told, once for each; valid as what frames point to. NULL:
 * there is none. */
const char *lh_stacks_flaw(struct lh_stacks *stacks, enum lh_script_flaw *flaw);

/* How many such scripts there have been. */
void lh_stacks_count_flaws(const struct lh_stacks *stacks, struct lh_totals *totals);

/* The name of a runtime (runtimes.h) that is loaded there, and its version; "": not known. NULL: no
 * runtime is known. */
const char *lh_stacks_runtime(const struct lh_stacks *stacks, char *version, size_t size);

/* Answers a LH_EVENT_HOME. */
void lh_stacks_find_home(struct lh_stacks *stacks, const struct lh_record *record,
                         struct lh_home *home);

#endif

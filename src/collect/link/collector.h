/* SPDX-License-Identifier: Apache-2.0 */
/* The collector: takes rings from programs, turns their records into reports, writes them out.
 *
 * One thread of the caller's drives it (lh_collector_step); one thread of its own per ring waits on
 * the ring's futex and drains it. */
#ifndef LH_COLLECT_LINK_COLLECTOR_H
#define LH_COLLECT_LINK_COLLECTOR_H

#include <stdbool.h>

#include "collect/link/run_totals.h"
#include "collect/report/judge.h"
#include "common/options.h"

struct lh_collector;

/* All below: the driving thread only. Errors are negative errnos. */
struct lh_collector *lh_collector_new(void);
void lh_collector_free(struct lh_collector *collector);

/* `loophound run`: accepts programs at this socket path (created here, mode 0600; root: 0666, for
 * programs that gave up their rights). Programs of another user write where `options` say, not
 * where they would like to. */
int lh_collector_listen(struct lh_collector *collector, const char *path,
                        const struct lh_options *options, struct lh_judge *judge);

/* From now on all that programs report is written to this file, too, in JSON and whatever the
 * limits of their outputs are. The descriptor stays the caller's, and open as long as the collector
 * is. */
void lh_collector_keep(struct lh_collector *collector, int fd);

/* Started by the library: serves the one program at the other end of this socket. */
int lh_collector_adopt(struct lh_collector *collector, int socket_fd);

/* A descriptor to poll for POLLIN; then call lh_collector_step, which does not wait. */
int lh_collector_fd(const struct lh_collector *collector);
int lh_collector_step(struct lh_collector *collector);

/* Is every adopted program gone, and all it said written? */
bool lh_collector_idle(const struct lh_collector *collector);

/* Writes what is still in any ring, waiting at most `timeout_ms` for slow sinks. */
void lh_collector_finish(struct lh_collector *collector, unsigned timeout_ms);

void lh_collector_count(const struct lh_collector *collector, struct lh_run_totals *totals);

#endif

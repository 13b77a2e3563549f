/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to an output for a bounded time. Any thread of the collector; none of them is ended by a
 * SIGPIPE, which is blocked there or ignored (link/ring_thread.c, the commands `run` and
 * `collector`), so that no write asks for it. */
#ifndef LH_COLLECT_SINK_OUTPUT_WRITE_H
#define LH_COLLECT_SINK_OUTPUT_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "collect/sink/output_open.h"

/* Writes all, until `deadline_ns` (CLOCK_MONOTONIC) at most. Returns 0 or a negative errno, -EAGAIN
 * when the reader was too slow. What was written is added up in *done, also when it fails. */
int lh_output_write_all(const struct lh_output_file *file, const char *bytes, size_t length,
                        int64_t deadline_ns, size_t *done);

/* One line on standard error, after "loophound: ". */
void lh_output_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

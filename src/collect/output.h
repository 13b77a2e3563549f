/* Where reports go: standard error, a descriptor, a file or a unix socket.
 *
 * Any thread of the collector. A write waits for a bounded time only, never raises SIGPIPE, and
 * puts out a whole line or report at once. */
#ifndef LH_COLLECT_OUTPUT_H
#define LH_COLLECT_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ring.h"

/* The outputs of one collector; programs with the same place share one. */
struct lh_outputs;
struct lh_output;

struct lh_output_place {
    enum lh_output_kind kind;
    int fd;              /* of LH_OUTPUT_STDERR and LH_OUTPUT_FD */
    char path[PATH_MAX]; /* of LH_OUTPUT_PATH and LH_OUTPUT_UNIX, expanded */
};

/* The place that a program's checked header asks for: %p %h %e %% of its path expanded, other
 * letters left as they are. `adopted`: the collector was started by the program itself, so that
 * names start at the program's working directory and fd:N is at LH_COLLECTOR_OUTPUT_FD.
 * Returns 0 or -ENAMETOOLONG. */
int lh_output_place(struct lh_output_place *place, const struct lh_ring *header, bool adopted);

struct lh_outputs *lh_outputs_new(void); /* NULL: out of memory */
void lh_outputs_free(struct lh_outputs *outputs);

/* Takes and gives back one use of an output; it is opened at its first write. NULL: out of memory.
 */
struct lh_output *lh_output_get(struct lh_outputs *outputs, const struct lh_output_place *place);
void lh_output_put(struct lh_outputs *outputs, struct lh_output *output);

/* Opens it now and not at the first write. */
void lh_output_prepare(struct lh_output *output);

/* Writes one whole line or report. Returns 0, or a negative errno when it is lost: -EAGAIN when the
 * reader was too slow. The first loss of an output is said on standard error. */
int lh_output_write(struct lh_output *output, const char *bytes, size_t length);

/* Is there somebody who likes colours? */
bool lh_output_is_terminal(struct lh_output *output);

/* One line on standard error, after "loophound: ". */
void lh_output_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

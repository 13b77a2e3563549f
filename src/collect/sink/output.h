/* SPDX-License-Identifier: Apache-2.0 */
/* Where reports go: standard error, a descriptor, a file or a unix socket.
 *
 * Any thread of the collector. A write waits for a bounded time only, and puts out a whole line or
 * report at once. */
#ifndef LH_COLLECT_SINK_OUTPUT_H
#define LH_COLLECT_SINK_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/sink/id_set.h"
#include "collect/sink/output_target.h"
#include "collect/sink/output_write.h"
#include "common/bucket.h"

/* The outputs of one collector; programs with the same target share one. */
struct lh_outputs;
struct lh_output;

struct lh_outputs *lh_outputs_new(void); /* NULL: out of memory */
void lh_outputs_free(struct lh_outputs *outputs);

/* Takes and gives back one use of an output; it is opened at its first write. NULL: out of memory.
 */
struct lh_output *lh_output_get(struct lh_outputs *outputs, const struct lh_output_target *target);
void lh_output_put(struct lh_outputs *outputs, struct lh_output *output);

/* Opens it now and not at the first write. */
void lh_output_prepare(struct lh_output *output);

/* Writes one whole line or report, whatever the limit is. Returns 0, or a negative errno when it is
 * lost: -EAGAIN when the reader was too slow. The first loss of an output is said on standard
 * error. */
int lh_output_write(struct lh_output *output, const char *bytes, size_t length);

/* Ids that lines give a meaning to, for all that follow in the same file. */
struct lh_output_news {
    uint64_t file_number;
    struct lh_id_set ids;
};

/* Is it a disk file, which is read from its begin? */
bool lh_output_is_file(struct lh_output *output);

/* Counts the files (or connections) that the output has had: after a log was moved away or emptied
 * it is another one, in which no id has a meaning. */
uint64_t lh_output_file_number(struct lh_output *output);

/* Has this id a meaning there, in the file of that number? Which one goes to *known. */
bool lh_output_knows(struct lh_output *output, const struct lh_output_news *news, uint64_t id,
                     struct lh_known *known);

/* lh_output_write() of what may be left out: -EOVERFLOW, and nothing is written, where it is over
 * the output's limit. `share`, all zero at first, is what is left to this program of that; `news`
 * (or NULL) is known from then on. -ESTALE, and nothing is written: the file is another one than
 * that of the news by now. */
int lh_output_write_report(struct lh_output *output, struct lh_bucket *share, const char *bytes,
                           size_t length, const struct lh_output_news *news);

/* Is there somebody who likes colours? */
bool lh_output_is_terminal(struct lh_output *output);

/* The columns of that terminal as it is now: what it says itself, or else COLUMNS, or else 80. 0:
 * it is no terminal. */
size_t lh_output_columns(struct lh_output *output);

#endif

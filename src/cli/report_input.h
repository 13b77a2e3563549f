/* SPDX-License-Identifier: Apache-2.0 */
/* What a report is read from: plain, or compressed by gzip(1) or zstd(1), as its first bytes tell.
 * Main thread. */
#ifndef LH_CLI_REPORT_INPUT_H
#define LH_CLI_REPORT_INPUT_H

#include <stdio.h>

struct lh_input;

/* "-": standard input. NULL and errno: it cannot be opened, or there is no memory. */
struct lh_input *lh_input_open(const char *name);
void lh_input_close(struct lh_input *input);

FILE *lh_input_stream(struct lh_input *input);

/* After the stream has failed: why. */
const char *lh_input_problem(const struct lh_input *input);

/* How much of the file has been read, of 1; negative: it has no end that is known. */
double lh_input_share(const struct lh_input *input);

#endif

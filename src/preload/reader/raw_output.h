/* SPDX-License-Identifier: Apache-2.0 */
/* Where raw lines go. Runs on the watchdog: raw system calls, no libc state, no malloc. Nothing
 * here waits: a fork or the end of the program would wait with it. */
#ifndef LH_PRELOAD_READER_RAW_OUTPUT_H
#define LH_PRELOAD_READER_RAW_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ring.h"

/* A watchdog begins: it has a table of descriptors of its own. */
void lh_raw_output_begin(void);

/* Appends a whole line to the output that the options in this ring of ours name, which is opened
 * first where it is not. 0, or a negative errno: the line is lost. One that was torn is ended
 * before the next. `always`: also over LOOPHOUND_OUTPUT_LIMIT, by which others are lost
 * (-EOVERFLOW). */
int lh_raw_output_write(const struct lh_ring *ring, const char *line, size_t length, bool always);

#endif

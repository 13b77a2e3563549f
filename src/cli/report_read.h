/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of files of reports, one by one: what `report` and `export` read. Main thread.
 *
 * What is no line of ours is left out, and said on standard error; so is what cannot be read, and
 * on a terminal, from a second on, how far it is. */
#ifndef LH_CLI_REPORT_READ_H
#define LH_CLI_REPORT_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is given each line of ours, an event, a frame or a stack, and may change it. */
typedef void lh_take_line(void *context, json_t *line);

/* Reads all these files, "-" or none at all: standard input. Returns 0, or LH_EXIT_FAILED where one
 * cannot be read or has nothing of ours; the others are read all the same. */
int lh_read_lines(const char *const *names, size_t count, lh_take_line *take, void *context);

/* A span of time that is asked for, in us since 1970. */
struct lh_time_range {
    int64_t since_us; /* INT64_MIN: no limit */
    int64_t until_us; /* INT64_MAX: likewise */
};

#define LH_ALL_TIMES ((struct lh_time_range){INT64_MIN, INT64_MAX})

bool lh_is_limited(const struct lh_time_range *range);

/* Did some of the event happen in that time? What has no time did. */
bool lh_is_in_time(const struct lh_time_range *range, const json_t *event);

/* Says how many lines of frames and stacks were asked for that are not there; nothing: none. */
void lh_say_missing(uint64_t missing);

#endif

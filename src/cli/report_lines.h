/* SPDX-License-Identifier: Apache-2.0 */
/* Events out of files of JSON Lines. Main thread. */
#ifndef LH_CLI_REPORT_LINES_H
#define LH_CLI_REPORT_LINES_H

#include <jansson.h>

struct lh_book;

/* Who reads. Frames and stacks go into the book, events to pass(), which may change them. */
struct lh_lines {
    struct lh_book *book;
    void (*pass)(void *to, json_t *event);
    void *to;
};

/* Reads each file ("-": standard input), or standard input where there is none (`names` ends in
 * NULL). What is no event of ours is said and left out. 0, or LH_EXIT_FAILED: one of them cannot be
 * read or has no event, which is said; the others are read all the same. */
int lh_lines_read(const struct lh_lines *lines, const char *const *names);

#endif

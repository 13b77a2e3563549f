/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and stacks as lines of their own, each once in a file. Used by the thread of one ring. */
#ifndef LH_COLLECT_SINK_STACK_BOOK_H
#define LH_COLLECT_SINK_STACK_BOOK_H

#include "collect/sink/id_set.h"
#include "collect/sink/output.h"
#include "common/event.h"
#include "common/json.h"

#define LH_NUMBERED_STACKS 256u /* a power of two */

struct lh_stack_lines {
    struct lh_stack_book book; /* what an event is written with */
    struct lh_output *output;  /* knows what it has already */
    struct lh_json lines;      /* those that must come before the event */
    struct lh_output_news news;
    const struct lh_report *report; /* whose stacks these are */

    /* Stacks that are in the file, by the number of a report: their frames are not looked at again.
     */
    struct lh_numbered_stack {
        uint64_t number; /* 0: free */
        uint64_t file_number;
        uint64_t id;
    } numbered[LH_NUMBERED_STACKS];
};

/* Begins the lines of one event in this buffer. `report` must be there until it is written. */
void lh_stack_lines_begin(struct lh_stack_lines *lines, struct lh_output *output,
                          const struct lh_report *report, char *buf, size_t size);
void lh_stack_lines_free(struct lh_stack_lines *lines);

#endif

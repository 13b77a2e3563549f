/* SPDX-License-Identifier: Apache-2.0 */
/* Opening an output so that writing to it does not wait. */
#ifndef LH_COLLECT_SINK_OUTPUT_OPEN_H
#define LH_COLLECT_SINK_OUTPUT_OPEN_H

#include <stdbool.h>

#include "collect/sink/output_target.h"

/* How to write to a descriptor without waiting. */
enum lh_output_way {
    LH_WAY_PLAIN,  /* write: a disk file, or a descriptor of ours with O_NONBLOCK */
    LH_WAY_SOCKET, /* send with MSG_DONTWAIT */
    LH_WAY_ASK, /* poll, then write at most PIPE_BUF bytes: O_NONBLOCK would not be ours to set */
};

struct lh_output_file {
    int fd;
    bool owned; /* to be closed by us */
    enum lh_output_way way;
    bool torn; /* what stands there already ends within a line */
};

/* Returns 0 or a negative errno. */
int lh_output_open(struct lh_output_file *file, const struct lh_output_target *target);

#endif

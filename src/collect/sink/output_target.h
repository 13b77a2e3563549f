/* SPDX-License-Identifier: Apache-2.0 */
/* Where a program wants its reports. Any thread of the collector. */
#ifndef LH_COLLECT_SINK_OUTPUT_TARGET_H
#define LH_COLLECT_SINK_OUTPUT_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/options.h"
#include "common/ring.h"

struct lh_output_target {
    enum lh_output_kind kind;
    int fd;              /* of LH_OUTPUT_STDERR and LH_OUTPUT_FD */
    bool ours;           /* the descriptor is one that no program may name */
    bool own_name;       /* of LH_OUTPUT_PATH: it has the program's pid in it */
    uint64_t limit;      /* bytes a second; 0: no limit. The first program's counts for all */
    char path[PATH_MAX]; /* of LH_OUTPUT_PATH and LH_OUTPUT_UNIX, expanded */
};

/* The target that a program's checked header asks for: %p %h %e %% of its path expanded, other
 * letters left as they are. `adopted`: the collector was started by the program itself, so that
 * names start at the program's working directory and fd:N is at LH_COLLECTOR_OUTPUT_FD.
 * Returns 0 or -ENAMETOOLONG. */
int lh_output_target(struct lh_output_target *target, const struct lh_ring *header, bool adopted);

#endif

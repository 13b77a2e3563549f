/* SPDX-License-Identifier: Apache-2.0 */
/* Where a program wants its reports. Runs in the collector; `header` is a private, checked copy. */
#include "collect/sink/output_target.h"

#include <unistd.h>

#include "common/output_name.h"
#include "common/protocol.h"

int lh_output_target(struct lh_output_target *target, const struct lh_ring *header, bool adopted)
{
    *target = (struct lh_output_target){.kind = (enum lh_output_kind)header->options.output_kind,
                                        .fd = -1,
                                        .limit = header->options.output_limit};
    switch (target->kind) {
    case LH_OUTPUT_STDERR:
        target->fd = adopted ? LH_COLLECTOR_OUTPUT_FD : STDERR_FILENO;
        return 0;
    case LH_OUTPUT_FD:
        target->fd = adopted ? LH_COLLECTOR_OUTPUT_FD : header->options.output_fd;
        return 0;
    default:
        target->own_name = lh_output_has_pid(header->options.output);
        return lh_output_name(target->path, sizeof(target->path), header, adopted);
    }
}

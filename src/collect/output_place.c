/* Where a program wants its reports. Runs in the collector; `header` is a private, checked copy. */
#include <unistd.h>

#include "collect/output.h"
#include "common/output_name.h"
#include "common/protocol.h"

int lh_output_place(struct lh_output_place *place, const struct lh_ring *header, bool adopted)
{
    *place = (struct lh_output_place){.kind = (enum lh_output_kind)header->options.output_kind,
                                      .fd = -1};
    switch (place->kind) {
    case LH_OUTPUT_STDERR:
        place->fd = adopted ? LH_COLLECTOR_OUTPUT_FD : STDERR_FILENO;
        return 0;
    case LH_OUTPUT_FD:
        place->fd = adopted ? LH_COLLECTOR_OUTPUT_FD : header->options.output_fd;
        return 0;
    default:
        return lh_output_name(place->path, sizeof(place->path), header, adopted);
    }
}

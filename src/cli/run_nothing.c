/* SPDX-License-Identifier: Apache-2.0 */
/* The summary in JSON of a command in which loophound run has found no loop thread. */
#include <stdlib.h>
#include <unistd.h>

#include "cli/run.h"
#include "collect/sink/output.h"
#include "collect/sys/clock.h"
#include "common/event_json.h"
#include "common/text.h"

#define LINE_BYTES 8192

/* What the output's name is made of. NULL: out of memory. */
static struct lh_ring *new_header(const struct lh_run_end *end)
{
    struct lh_ring *header = calloc(1, sizeof(*header)); /* mostly cells, which nobody touches */
    if (header == NULL)
        return NULL;
    header->options = *end->options;
    header->pid = (uint32_t)end->pid;
    (void)lh_text_copy(header->exe, sizeof(header->exe), end->command);
    return header;
}

void lh_run_write_nothing(const struct lh_run_end *end, const char *why)
{
    char line[LINE_BYTES];
    struct lh_json json;
    struct lh_output_target target;
    lh_json_init(&json, line, sizeof(line));
    lh_event_no_loops(&json, lh_realtime_ns(), (uint32_t)end->pid, why);
    if (end->kept->fd >= 0 && !json.overflow &&
        write(end->kept->fd, line, json.length) != (ssize_t)json.length)
        return; /* who reads it says so */
    if (lh_options_format(end->options) != LH_FORMAT_JSON)
        return;
    struct lh_ring *header = new_header(end);
    struct lh_outputs *outputs = lh_outputs_new();
    struct lh_output *output = NULL;
    if (header != NULL && outputs != NULL && lh_output_target(&target, header, false) == 0)
        output = lh_output_get(outputs, &target);
    if (output != NULL && !json.overflow)
        (void)lh_output_write(output, line, json.length); /* which says what fails */
    if (outputs != NULL)
        lh_output_put(outputs, output);
    lh_outputs_free(outputs);
    free(header);
}

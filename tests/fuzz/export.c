/* SPDX-License-Identifier: Apache-2.0 */
/* What `loophound export` makes of any file: the model, and each of its formats. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/export/model.h"
#include "fuzz.h"

/* Weights are those of the parts, and all numbers are of something that is there. */
static void check(const struct lh_export_model *model)
{
    for (uint32_t i = 0; i < model->event_count; i++) {
        const struct lh_export_event *event = &model->events[i];
        uint64_t ns = 0;
        MUST(event->thread < model->thread_count && event->part_count > 0);
        MUST(event->place == LH_EXPORT_NO_PLACE || event->place < model->place_count);
        for (uint32_t p = 0; p < event->part_count; p++) {
            MUST(event->first_part + p < model->part_count);
            MUST(model->parts[event->first_part + p].stack < model->node_count);
            ns += model->parts[event->first_part + p].ns;
        }
        MUST(ns == event->weight_ns);
    }
    for (uint32_t i = 1; i < model->node_count; i++) {
        const struct lh_export_node *node = &model->nodes[i];
        MUST(node->outer < i && node->frame > 0 && node->frame < model->frame_count);
        MUST(model->nodes[node->flame].flame == node->flame);
    }
}

static void write_all(const struct lh_export_model *model)
{
    for (const struct lh_export_format *row = lh_export_formats; row->name != NULL; row++) {
        char *bytes = NULL;
        size_t length = 0;
        FILE *to = open_memstream(&bytes, &length);
        MUST(to != NULL);
        MUST(row->write(model, to) == 0);
        MUST(fclose(to) == 0);
        MUST(row->binary || memchr(bytes, 0x1b, length) == NULL);
        free(bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char name[64];
    int status;
    struct lh_export_options options = LH_EXPORT_DEFAULTS;
    const char *files[] = {name};
    int fd = memfd_create("export", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    struct lh_export_model *model = lh_export_model_read(&options, files, 1, &status);
    MUST(model != NULL);
    check(model);
    write_all(model);
    lh_export_model_free(model);
    close(fd);
    return 0;
}

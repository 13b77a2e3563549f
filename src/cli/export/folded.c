/* SPDX-License-Identifier: Apache-2.0 */
/* Folded stacks: a line a stack, "thread;outer;inner;[call] 1234", as flamegraph.pl, inferno and
 * speedscope read them. Weights are whole microseconds, for there are no fractions in this format,
 * and what is below a millisecond is not to vanish. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/flame.h"
#include "cli/export/formats.h"
#include "collect/sink/text_parts.h"
#include "common/text.h"
#include "common/units.h"

#define CLEAN_BYTES (2 * LH_EXPORT_STRING_MAX)

/* Semicolons are between frames, and lines end. */
static void put_name(FILE *to, const char *name)
{
    char room[CLEAN_BYTES];
    struct lh_text text;
    lh_text_init(&text, room, sizeof(room));
    lh_text_clean(&text, name, strlen(name));
    for (char *at = room; *at != '\0'; at++)
        fputc(*at == ';' ? ',' : *at, to);
}

static void put_frame(FILE *to, const struct lh_export_model *model,
                      const struct lh_export_frame *frame)
{
    const char *file = lh_export_string(model, frame->file != 0 ? frame->file : frame->module);
    put_name(to, lh_export_text(model, frame->name));
    if (file == NULL || frame->function == 0)
        return;
    fputs(" (", to);
    put_name(to, lh_base_name(file));
    if (frame->line != 0)
        fprintf(to, ":%" PRIu32, frame->line);
    fputc(')', to);
}

static void put_stack(FILE *to, const struct lh_export_model *model, const struct lh_flame *flame)
{
    uint32_t frames[LH_FLAME_FRAMES_MAX];
    uint32_t count = lh_flame_frames(model, flame->stack, frames);
    put_name(to, flame->thread != 0 ? lh_export_text(model, flame->thread) : "?");
    for (uint32_t i = count; i > 0; i--) {
        fputc(';', to);
        put_frame(to, model, &model->frames[frames[i - 1]]);
    }
    fputs(";[", to);
    put_name(to, lh_export_what(model, flame->call));
    fputc(']', to);
}

int lh_export_folded(const struct lh_export_model *model, FILE *to)
{
    uint32_t count;
    uint64_t whole_ns = 0;
    uint64_t told_us = 0;
    struct lh_flame *flames = lh_flames_new(model, &count);
    if (flames == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++) {
        whole_ns += flames[i].ns; /* so that roundings do not add up */
        uint64_t us = whole_ns / LH_NS_PER_US - told_us;
        told_us += us;
        if (us == 0)
            continue;
        put_stack(to, model, &flames[i]);
        fprintf(to, " %" PRIu64 "\n", us);
    }
    free(flames);
    return 0;
}

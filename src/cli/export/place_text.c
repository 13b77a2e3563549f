/* SPDX-License-Identifier: Apache-2.0 */
/* Places in words. See place_text.h. */
#include "cli/export/place_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collect/sink/text_parts.h"
#include "common/units.h"

static double ms_of(uint64_t ns)
{
    return (double)ns / (double)LH_NS_PER_MS;
}

void lh_place_sentence(const struct lh_export_model *model, const struct lh_export_place *place,
                       char room[LH_PLACE_TEXT_BYTES])
{
    const char *what = lh_export_text(model, place->what);
    const char *does = place->kind == LH_EXPORT_STALL ? "kept the event loop busy"
                       : place->strict                ? "could block the event loop"
                                                      : "blocked the event loop";
    if (place->count == 1)
        (void)snprintf(room, LH_PLACE_TEXT_BYTES, "%.200s %s for %.1f ms", what, does,
                       ms_of(place->worst_ns));
    else
        (void)snprintf(room, LH_PLACE_TEXT_BYTES,
                       "%.200s %s %" PRIu64 " times, worst %.1f ms, %.1f ms in all", what, does,
                       place->count, ms_of(place->worst_ns), ms_of(place->total_ns));
}

void lh_place_advice(const struct lh_export_model *model, const struct lh_export_place *place,
                     char room[LH_PLACE_TEXT_BYTES])
{
    const char *rule = lh_export_text(model, place->rule);
    (void)snprintf(room, LH_PLACE_TEXT_BYTES, "%.600s%s%.100s%s",
                   lh_export_text(model, place->advice), rule[0] != '\0' ? " [ruff " : "", rule,
                   rule[0] != '\0' ? "]" : "");
    if (room[0] >= 'a' && room[0] <= 'z')
        room[0] = (char)(room[0] - 'a' + 'A');
}

const char *lh_place_path(const struct lh_export_model *model, const struct lh_export_place *place,
                          char room[LH_EXPORT_PATH_BYTES])
{
    uint32_t process = model->threads[place->thread].process;
    const char *path = lh_export_path(model, process, place->file, room);
    return path != NULL ? lh_export_relative(model, path) : NULL;
}

const char *lh_clean(const char *text, char room[LH_CLEAN_BYTES])
{
    struct lh_text clean;
    lh_text_init(&clean, room, LH_CLEAN_BYTES);
    lh_text_clean(&clean, text, strlen(text));
    return room;
}

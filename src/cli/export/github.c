/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of GitHub Actions on standard output: they annotate the lines of a change. GitHub shows
 * ten of a kind for each step, so that the worst nine come first, and how many there are more.
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/formats.h"
#include "cli/export/place_text.h"

#define SHOWN 9u

/* A line is a command: what would end it, or a property, is escaped. */
static void put_escaped(FILE *to, const char *text, bool property)
{
    char room[LH_CLEAN_BYTES];
    for (const char *at = lh_clean(text, room); *at != '\0'; at++) {
        if (*at == '%' || (property && (*at == ':' || *at == ',')))
            fprintf(to, "%%%02X", (unsigned char)*at);
        else
            fputc(*at, to);
    }
}

static void put_place(FILE *to, const struct lh_export_model *model,
                      const struct lh_export_place *place)
{
    char path_room[LH_EXPORT_PATH_BYTES];
    char text[LH_PLACE_TEXT_BYTES];
    const char *path = lh_place_path(model, place, path_room);
    fputs(place->known ? "::notice " : "::error ", to);
    if (path != NULL) {
        fputs("file=", to);
        put_escaped(to, path, true);
        fprintf(to, ",line=%" PRIu32 ",", place->line != 0 ? place->line : 1);
    }
    fputs("title=Blocked event loop", to);
    fputs("::", to);
    lh_place_sentence(model, place, text);
    put_escaped(to, text, false);
    lh_place_advice(model, place, text);
    if (text[0] != '\0') {
        fputs(".%0A", to);
        put_escaped(to, text, false);
    }
    fputc('\n', to);
}

static int by_worst(const void *left, const void *right)
{
    const struct lh_export_place *const *a = left;
    const struct lh_export_place *const *b = right;
    if ((*a)->known != (*b)->known)
        return (*a)->known ? 1 : -1;
    return ((*a)->worst_ns < (*b)->worst_ns) - ((*a)->worst_ns > (*b)->worst_ns);
}

int lh_export_github(const struct lh_export_model *model, FILE *to)
{
    uint32_t count = 0;
    const struct lh_export_place **order =
        calloc(model->place_count + 1u, sizeof(struct lh_export_place *));
    if (order == NULL)
        return -ENOMEM;
    for (uint32_t i = 0; i < model->place_count; i++)
        if (!model->places[i].suppressed)
            order[count++] = &model->places[i];
    qsort(order, count, sizeof(struct lh_export_place *), by_worst);
    uint32_t most = model->top != 0 && model->top < SHOWN ? model->top : SHOWN;
    for (uint32_t i = 0; i < count && i < most; i++)
        put_place(to, model, order[i]);
    if (count > most)
        fprintf(to,
                "::notice title=Blocked event loop::%" PRIu32 " more places block the event loop; "
                "all of them: loophound report\n",
                count - most);
    free(order);
    return 0;
}

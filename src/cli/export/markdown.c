/* SPDX-License-Identifier: Apache-2.0 */
/* A table of GitHub's Markdown, of the worst places. */
#include <inttypes.h>

#include "cli/export/formats.h"
#include "cli/export/place_text.h"
#include "cli/markdown.h"
#include "common/units.h"

#define SHOWN 20u

static void put_code(FILE *to, const char *text)
{
    char room[LH_CLEAN_BYTES];
    lh_markdown_code(to, lh_clean(text, room));
}

static void put_ms(FILE *to, uint64_t ns)
{
    fprintf(to, "%.1f ms | ", (double)ns / (double)LH_NS_PER_MS);
}

static void put_place(FILE *to, const struct lh_export_model *model,
                      const struct lh_export_place *place)
{
    char advice[LH_PLACE_TEXT_BYTES];
    char room[LH_CLEAN_BYTES];
    fputs("| ", to);
    put_ms(to, place->total_ns);
    put_ms(to, place->worst_ns);
    fprintf(to, "%" PRIu64 " | ", place->count);
    put_code(to, lh_export_text(model, place->what));
    fputs(" | ", to);
    put_code(to, lh_export_text(model, place->where));
    if (place->source != 0) {
        fputs("<br>", to);
        put_code(to, lh_export_text(model, place->source));
    }
    fputs(" | ", to);
    lh_place_advice(model, place, advice);
    lh_markdown_text(to, lh_clean(advice, room));
    fputs(place->known ? " (known) |\n" : " |\n", to);
}

static void put_head(FILE *to, const struct lh_export_model *model)
{
    const struct lh_export_totals *totals = &model->totals;
    fprintf(to,
            "### What blocks the event loop\n\n%" PRIu64 " block%s and %" PRIu64
            " stall%s took %.1f ms",
            totals->blocks, totals->blocks == 1 ? "" : "s", totals->stalls,
            totals->stalls == 1 ? "" : "s",
            (double)(totals->blocks_ns + totals->stalls_ns) / (double)LH_NS_PER_MS);
    if (totals->suppressed > 0)
        fprintf(to, "; %" PRIu64 " more are suppressed by rules", totals->suppressed);
    fputs(".\n", to);
}

int lh_export_markdown(const struct lh_export_model *model, FILE *to)
{
    uint32_t count = 0;
    uint32_t most = model->top != 0 ? model->top : SHOWN;
    while (count < model->place_count && !model->places[count].suppressed)
        count++;
    put_head(to, model);
    if (count > 0)
        fputs("\n| Total | Worst | Count | Call | Where | Advice |\n"
              "| ---: | ---: | ---: | --- | --- | --- |\n",
              to);
    for (uint32_t i = 0; i < count && i < most; i++)
        put_place(to, model, &model->places[i]);
    if (count > most)
        fprintf(to, "\n%" PRIu32 " more places: `loophound report` shows them.\n", count - most);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A table of GitHub's Markdown, of the worst places. What a program has named stands between
 * backquotes, where nothing but a backquote and, in a table, a bar means anything. */
#include <inttypes.h>

#include "cli/export/formats.h"
#include "cli/export/place_text.h"
#include "common/units.h"

#define SHOWN 20u

static void put_code(FILE *to, const char *text)
{
    char room[LH_CLEAN_BYTES];
    fputc('`', to);
    for (const char *at = lh_clean(text, room); *at != '\0'; at++) {
        if (*at == '|')
            fputc('\\', to);
        fputc(*at == '`' ? '\'' : *at, to);
    }
    fputc('`', to);
}

/* A sentence of ours, in which names of libraries may stand: what marks text up is escaped. */
static void put_sentence(FILE *to, const char *text)
{
    char room[LH_CLEAN_BYTES];
    for (const char *at = lh_clean(text, room); *at != '\0'; at++) {
        switch (*at) {
        case '<':
            fputs("&lt;", to);
            break;
        case '&':
            fputs("&amp;", to);
            break;
        case '@': /* a person would be told */
            fputs("@<!-- -->", to);
            break;
        case '\\':
        case '`':
        case '*':
        case '_':
        case '[':
        case ']':
        case '|':
        case '#':
        case '~':
            fputc('\\', to);
            fputc(*at, to);
            break;
        default:
            fputc(*at, to);
        }
    }
}

static void put_ms(FILE *to, uint64_t ns)
{
    fprintf(to, "%.1f ms | ", (double)ns / (double)LH_NS_PER_MS);
}

static void put_place(FILE *to, const struct lh_export_model *model,
                      const struct lh_export_place *place)
{
    char advice[LH_PLACE_TEXT_BYTES];
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
    put_sentence(to, advice);
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

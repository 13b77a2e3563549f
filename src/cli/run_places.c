/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound run says at its end about a baseline: places that are new, and that are gone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/baseline.h"
#include "cli/run.h"
#include "cli/terminal.h"
#include "collect/sink/text_fit.h"
#include "collect/sink/text_parts.h"

#define SHOWN      20u /* places that are named of each kind */
#define LINE_BYTES 2048

static const char indent[] = "        ";

/* As wide as the terminal, if it is one. */
static void print_line(struct lh_text *line)
{
    lh_text_cut(line, 0, lh_terminal_columns(stderr));
    fprintf(stderr, "%s\n", line->buf);
}

static void print_figures(const struct lh_new_place *place)
{
    char buf[LINE_BYTES];
    struct lh_text line;
    lh_text_init(&line, buf, sizeof(buf));
    lh_text_format(&line, "%sworst ", indent);
    lh_text_elapsed(&line, place->worst_ns, 10);
    lh_text_format(&line, ", %" PRIu64 " time%s%s", place->count, lh_text_plural(place->count),
                   place->resource);
    if (place->test[0] != '\0')
        lh_text_format(&line, " in %s", place->test);
    print_line(&line);
}

static void print_new(const struct lh_new_place *place)
{
    char buf[LINE_BYTES];
    struct lh_text line;
    lh_text_init(&line, buf, sizeof(buf));
    if (place->what == NULL) { /* there was no memory for more */
        lh_text_format(&line, "  NEW   %s", place->rule);
        print_line(&line);
        return;
    }
    lh_text_format(&line, "  NEW   %s  %s", place->what, place->where);
    print_line(&line);
    print_figures(place);
    if (place->advice[0] == '\0')
        return;
    lh_text_init(&line, buf, sizeof(buf));
    lh_text_format(&line, "%sadvice: %s", indent, place->advice);
    print_line(&line);
}

static void print_gone(const struct lh_rule *rule)
{
    char buf[LINE_BYTES];
    char where_buf[LINE_BYTES];
    struct lh_text line;
    struct lh_text where;
    lh_text_init(&line, buf, sizeof(buf));
    lh_text_init(&where, where_buf, sizeof(where_buf));
    lh_text_string(&line, "  GONE  ");
    size_t begin = line.length;
    lh_baseline_place(rule, &line, &where);
    lh_text_format(&line, "%s%s  (%s:%" PRIu32 ")", line.length > begin ? "  " : "", where_buf,
                   rule->file, rule->line);
    print_line(&line);
}

static int by_total(const void *left, const void *right)
{
    const struct lh_new_place *a = *(struct lh_new_place *const *)left;
    const struct lh_new_place *b = *(struct lh_new_place *const *)right;
    if (a->total_ns != b->total_ns)
        return (a->total_ns < b->total_ns) - (a->total_ns > b->total_ns);
    return strcmp(a->rule, b->rule);
}

static void print_all_new(const struct lh_verdict *verdict)
{
    uint32_t count = verdict->new_count;
    struct lh_new_place **sorted = calloc(count > 0 ? count : 1, sizeof(struct lh_new_place *));
    if (sorted == NULL)
        return;
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = verdict->new_places[i];
    if (count > 0)
        qsort(sorted, count, sizeof(struct lh_new_place *), by_total);
    for (uint32_t i = 0; i < count && i < SHOWN; i++)
        print_new(sorted[i]);
    if (count > SHOWN)
        fprintf(stderr, "  ... and %" PRIu32 " more that are NEW\n", count - SHOWN);
    free(sorted);
}

static void print_all_gone(const struct lh_verdict *verdict, bool advise)
{
    uint32_t gone = 0;
    for (uint32_t i = 0; i < verdict->baseline->count; i++)
        if (verdict->baseline_uses[i] == 0 && gone++ < SHOWN)
            print_gone(&verdict->baseline->rules[i]);
    if (gone > SHOWN)
        fprintf(stderr, "  ... and %" PRIu32 " more that are GONE\n", gone - SHOWN);
    if (gone > 0 && advise)
        fprintf(stderr, "%sremove %s: loophound run --update-baseline --force\n", indent,
                gone == 1 ? "it" : "them");
}

static void print_head(const struct lh_verdict *verdict)
{
    uint64_t gone = lh_run_gone(verdict);
    char count[16] = "no";
    if (verdict->new_count > 0)
        (void)snprintf(count, sizeof(count), "%" PRIu32, verdict->new_count);
    fprintf(stderr, "loophound: %s NEW place%s the loop, %" PRIu64 " known", count,
            verdict->new_count > 1 ? "s block" : " blocks", verdict->baseline->count - gone);
    if (gone > 0)
        fprintf(stderr, ", %" PRIu64 " known place%s no longer do%s", gone, lh_text_plural(gone),
                gone == 1 ? "es" : "");
    fputc('\n', stderr);
}

void lh_run_print_places(const struct lh_verdict *verdict, bool advise)
{
    print_head(verdict);
    print_all_new(verdict);
    print_all_gone(verdict, advise);
    if (verdict->placeless > 0)
        fprintf(stderr,
                "loophound: %" PRIu64 " report%s without a stack, which no baseline can know\n",
                verdict->placeless, lh_text_plural(verdict->placeless));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a process's text. Runs on the threads of the rings. */
#include "collect/sink/text_summary.h"

#include <inttypes.h>

#include "collect/sink/text_fit.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t less(uint64_t all, uint64_t some)
{
    return all > some ? all - some : 0;
}

/* What the program counted, and at least what was told: what was told in flight may have come to an
 * end that was none worth telling. */
static struct lh_place_sums sums_of(const struct lh_totals *totals,
                                    const struct lh_place_sums *known,
                                    const struct lh_place_sums *told)
{
    return (struct lh_place_sums){
        .blocks = larger(less(atomic_load(&totals->blocks), known->blocks), told->blocks),
        .blocked_ns =
            larger(less(atomic_load(&totals->blocked_ns), known->blocked_ns), told->blocked_ns),
        .stalls = larger(less(atomic_load(&totals->stalls), known->stalls), told->stalls),
        .stalled_ns =
            larger(less(atomic_load(&totals->stalled_ns), known->stalled_ns), told->stalled_ns)};
}

/* "; 2 scripts with a broken source map" */
static void add_flaws(struct lh_text *text, const struct lh_totals *totals)
{
    for (uint32_t flaw = 0; flaw < LH_SCRIPT_FLAW_COUNT; flaw++) {
        uint64_t count = atomic_load(&totals->flaws[flaw]);
        if (count > 0)
            lh_text_format(text, "; %" PRIu64 " script%s %s", count, lh_text_plural(count),
                           lh_script_flaw_info((enum lh_script_flaw)flaw)->words);
    }
}

static void add_line(struct lh_text *text, const struct lh_totals *totals,
                     const struct lh_place_sums *sums, const struct lh_quiet *quiet)
{
    uint64_t loops = atomic_load(&totals->loops);
    uint64_t dropped = atomic_load(&totals->dropped);
    lh_text_format(text,
                   "%" PRIu64 " block%s and %" PRIu64 " stall%s on %" PRIu64 " loop thread%s, ",
                   sums->blocks, lh_text_plural(sums->blocks), sums->stalls,
                   lh_text_plural(sums->stalls), loops, lh_text_plural(loops));
    lh_text_elapsed(text, lh_place_sum_ns(sums->blocked_ns, sums->stalled_ns), 10);
    lh_text_string(text, " in all");
    if (quiet->suppressed > 0)
        lh_text_format(text, "; %" PRIu64 " suppressed", quiet->suppressed);
    if (quiet->known > 0)
        lh_text_format(text, "; %" PRIu64 " known", quiet->known);
    lh_text_format(text, "; %" PRIu64 " report%s dropped", dropped, lh_text_plural(dropped));
    lh_text_quiet(text, totals->quiet);
    add_flaws(text, totals);
}

/* Of one report there is nothing to add up. */
static void add_places(struct lh_text *text, const struct lh_text_style *style,
                       struct lh_place_table *places, const struct lh_place_sums *sums,
                       const struct lh_place_sums *told)
{
    uint64_t rest = sums->blocks - told->blocks + sums->stalls - told->stalls;
    if (told->blocks + told->stalls < 2)
        return;
    lh_place_table_print(places, text, style);
    if (rest > 0)
        lh_text_format(text, "  %s... and %" PRIu64 " that %s not reported, wherever%s\n",
                       style->faint, rest, rest == 1 ? "was" : "were", style->reset);
}

void lh_text_summary(struct lh_text *text, const struct lh_text_style *style,
                     const struct lh_totals *totals, const struct lh_quiet *quiet,
                     const struct lh_place_sums *known, struct lh_place_table *places)
{
    struct lh_place_sums told = lh_place_table_sums(places);
    struct lh_place_sums sums = sums_of(totals, known, &told);
    add_line(text, totals, &sums, quiet);
    lh_text_wrap(text, 0, style->width);
    lh_text_char(text, '\n');
    add_places(text, style, places, &sums, &told);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The HTML report: one file that opens without a server and without a network. The page (html/) is
 * built into the command; between its two halves stands the data, as JSON that html/data.js reads.
 * Whatever a program calls its functions: nothing in it can end the element that it stands in, and
 * the page makes text of it only. */
#include "cli/export/html.h"

#include <inttypes.h>

#include "cli/export/formats.h"
#include "common/units.h"
#include "common/version.h"
#include "html_page.def" /* made by scripts/html_page.py: page_begin, page_end */

#define ALONE_MAX 100u /* processes without a loop thread that are written */

static void put_member(struct lh_html *html, const char *name, uint32_t string)
{
    fprintf(html->to, ",\"%s\":", name);
    lh_html_put_text(html->to, lh_export_text(html->model, string));
}

static void put_process(struct lh_html *html, const struct lh_export_process *process)
{
    fprintf(html->to, "{\"pid\":%" PRIu32 ",\"strict\":%s", process->pid,
            process->strict ? "true" : "false");
    put_member(html, "exe", process->exe);
    put_member(html, "argv", process->argv);
    put_member(html, "service", process->service);
    put_member(html, "runtime", process->runtime);
    put_member(html, "host", process->host);
    put_member(html, "warnings", process->warnings);
    put_member(html, "why", process->why);
    fputc('}', html->to);
}

/* Threads name their process by its number in the model: up to the last one that has a thread, all
 * are written; where none has, the first ones, which may say why. */
static void put_processes(struct lh_html *html)
{
    const struct lh_export_model *model = html->model;
    uint32_t count = model->process_count < ALONE_MAX ? model->process_count : ALONE_MAX;
    for (uint32_t i = 0; i < model->thread_count; i++)
        if (model->threads[i].process >= count)
            count = model->threads[i].process + 1;
    fputc('[', html->to);
    for (uint32_t i = 0; i < count; i++) {
        fputs(i == 0 ? "" : ",\n", html->to);
        put_process(html, &model->processes[i]);
    }
    fputc(']', html->to);
}

/* What was read, and what the processes have counted beside it. */
static void put_totals(struct lh_html *html)
{
    const struct lh_export_model *model = html->model;
    uint64_t counted = 0;
    uint64_t dropped = 0;
    uint64_t unended = 0;
    uint64_t quiet = 0; /* with those that were not written in full */
    uint64_t told = model->totals.blocks + model->totals.stalls;
    for (uint32_t i = 0; i < model->process_count; i++) {
        counted += model->processes[i].blocks + model->processes[i].stalls;
        dropped += model->processes[i].dropped;
        quiet += model->processes[i].suppressed;
        unended += !model->processes[i].has_summary;
    }
    fprintf(html->to,
            "{\"blocks\":%" PRIu64 ",\"stalls\":%" PRIu64 ",\"suppressed\":%" PRIu64
            ",\"dropped\":%" PRIu64 ",\"unended\":%" PRIu64 ",\"untold\":%" PRIu64 "}",
            model->totals.blocks, model->totals.stalls,
            quiet > model->totals.suppressed ? quiet : model->totals.suppressed, dropped, unended,
            unended == 0 && model->left_out.outside == 0 && counted > told ? counted - told : 0);
}

static uint64_t threshold_ns(const struct lh_export_model *model)
{
    uint64_t least = 0;
    for (uint32_t i = 0; i < model->process_count; i++) {
        uint64_t own = model->processes[i].threshold_ns;
        least = own != 0 && (least == 0 || own < least) ? own : least;
    }
    return least;
}

/* Numbers are given while the rest is written: these come last. */
static void put_strings(struct lh_html *html)
{
    fputs("[\"\"", html->to);
    for (uint32_t i = 0; i < html->string_count; i++) {
        fputs(",\n", html->to);
        lh_html_put_text(html->to, lh_export_text(html->model, html->string_order[i]));
    }
    fputc(']', html->to);
}

static void put_head(struct lh_html *html)
{
    const struct lh_export_totals *totals = &html->model->totals;
    bool any = totals->first_ns != INT64_MAX;
    fputs("{\"version\":", html->to);
    lh_html_put_text(html->to, LH_VERSION);
    fprintf(html->to, ",\"begin\":%" PRId64 ",\"end\":%" PRId64 ",\"threshold\":%" PRIu64,
            html->begin_ns / (int64_t)LH_NS_PER_US,
            any ? (totals->last_ns - totals->first_ns) / (int64_t)LH_NS_PER_US : 0,
            threshold_ns(html->model) / LH_NS_PER_US);
    fprintf(html->to, ",\"watched\":%" PRIu32, html->model->process_count);
    fprintf(html->to,
            ",\"left\":{\"events\":%" PRIu64 ",\"total\":%" PRIu64 ",\"details\":%" PRIu64
            ",\"frames\":%" PRIu64 ",\"outside\":%" PRIu64 "}",
            html->left_events, html->left_ns / LH_NS_PER_US, html->left_details,
            html->model->left_out.frames + html->model->left_out.missing,
            html->model->left_out.outside);
    fputs(",\"totals\":", html->to);
    put_totals(html);
}

static void put_data(struct lh_html *html)
{
    static const struct {
        const char *name;
        void (*put)(struct lh_html *html);
    } tables[] = {{"processes", put_processes},   {"frames", lh_html_put_frames},
                  {"nodes", lh_html_put_nodes},   {"loops", lh_html_put_threads},
                  {"places", lh_html_put_places}, {"events", lh_html_put_events},
                  {"strings", put_strings}};
    put_head(html);
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        fprintf(html->to, ",\n\"%s\":", tables[i].name);
        tables[i].put(html);
    }
    fputc('}', html->to);
}

int lh_export_html(const struct lh_export_model *model, FILE *to)
{
    struct lh_html html;
    int error = lh_html_begin(&html, model, to);
    if (error == 0) {
        fwrite(page_begin, 1, sizeof(page_begin) - 1, to);
        put_data(&html);
        fwrite(page_end, 1, sizeof(page_end) - 1, to);
    }
    lh_html_end(&html);
    return error;
}

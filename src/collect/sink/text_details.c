/* SPDX-License-Identifier: Apache-2.0 */
/* The lines below the first one of a report. Runs on the threads of the rings. See text_parts.h. */
#include <inttypes.h>
#include <string.h>

#include "collect/sink/text_parts.h"
#include "common/event_parts.h"
#include "common/units.h"

/* "60/min", as it was asked for. */
static void add_rate(struct lh_text *text, const struct lh_options *options)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } windows[] = {{LH_NS_PER_S, "s"}, {60 * LH_NS_PER_S, "min"}, {LH_NS_PER_HOUR, "h"}};
    lh_text_format(text, "%" PRIu32 "/", options->rate_reports);
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
        if (options->rate_window_ns == windows[i].ns) {
            lh_text_string(text, windows[i].name);
            return;
        }
    lh_text_duration(text, options->rate_window_ns);
}

void lh_text_skipped(struct lh_text *text, const struct lh_text_style *style,
                     const struct lh_options *options, uint32_t skipped)
{
    if (skipped == 0)
        return;
    lh_text_format(text, "  %s%" PRIu32 " more since the last one, over the rate of ", style->faint,
                   skipped);
    add_rate(text, options);
    lh_text_format(text, "%s\n", style->reset);
}

void lh_text_no_stack(struct lh_text *text, const struct lh_text_style *style,
                      enum lh_no_stack no_stack)
{
    const char *reason = lh_no_stack_reason(no_stack);
    if (reason != NULL)
        lh_text_format(text, "  %sno stack: %s%s\n", style->faint, reason, style->reset);
}

void lh_text_victims(struct lh_text *text, const struct lh_text_style *style,
                     const struct lh_victims *victims)
{
    if (victims == NULL || victims->ready == 0)
        return;
    lh_text_format(text, "  %s%s%" PRIu32 " descriptor%s ready when it ended%s, after up to ",
                   style->strong, victims->more ? "at least " : "", victims->ready,
                   victims->ready == 1 ? " was" : "s were", style->reset);
    lh_text_elapsed(text, victims->waited_ns, 10);
    lh_text_char(text, '\n');
}

void lh_text_advice(struct lh_text *text, const struct lh_text_style *style,
                    const struct lh_advice *advice)
{
    if (advice == NULL)
        return;
    lh_text_format(text, "  %sadvice:%s ", style->place, style->reset);
    lh_text_clean(text, advice->text, strlen(advice->text));
    if (advice->rule != NULL)
        lh_text_format(text, "  %s[ruff %s]%s", style->faint, advice->rule, style->reset);
    lh_text_char(text, '\n');
}

static void add_callback(struct lh_text *text, const struct lh_text_style *style,
                         const struct lh_report *report)
{
    const char *callback = report->callback;
    const char *kind = report->callback_kind;
    if (callback == NULL && kind == NULL)
        return;
    lh_text_format(text, "  %sin %scallback", style->faint, callback == NULL ? "a " : "");
    if (callback != NULL) {
        lh_text_char(text, ' ');
        lh_text_clean(text, callback, strlen(callback));
    }
    if (kind != NULL)
        lh_text_format(text, " (%s)", kind);
    lh_text_format(text, "%s\n", style->reset);
}

void lh_text_task(struct lh_text *text, const struct lh_text_style *style,
                  const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    const struct lh_python_task *task = &record->task;
    const char *name = task->has_name ? record->strings + task->name : NULL;
    const char *coroutine = task->has_coroutine ? record->strings + task->coroutine : NULL;
    if (name == NULL && coroutine == NULL) {
        add_callback(text, style, report);
        return;
    }
    lh_text_format(text, "  %sin task ", style->faint);
    if (name != NULL)
        lh_text_clean(text, name, strlen(name));
    if (coroutine != NULL) {
        lh_text_format(text, "%scoroutine ", name != NULL ? " (" : "");
        lh_text_clean(text, coroutine, strlen(coroutine));
        lh_text_string(text, name != NULL ? ")" : "");
    }
    lh_text_format(text, "%s\n", style->reset);
}

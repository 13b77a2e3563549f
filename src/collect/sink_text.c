/* Reports as text for people. Runs on the threads of the rings.
 *
 * A report of a call that has not returned is followed by one line under the same number when it
 * does: its stack has been shown. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collect/sink_format.h"
#include "collect/text_parts.h"

#define OPEN_IDS  64 /* calls in flight whose stack was shown; of more, the oldest is forgotten */
#define NS_PER_S  1000000000ULL
#define NS_PER_MS 1000000ULL

#define REPEAT_NS NS_PER_S /* a call in flight is not told again before it lasts this long */

struct text_sink {
    const struct lh_ring *header;
    uint32_t main_tid;
    struct lh_output *output;
    bool may_colour;
    struct lh_colours colours;
    struct lh_text_stack *stack;
    bool reported; /* a block was shown */
    unsigned next_open;
    uint64_t open_ids[OPEN_IDS]; /* 0: none */
};

static void *text_new(const struct lh_sink_setup *setup)
{
    struct text_sink *sink = calloc(1, sizeof(*sink));
    if (sink == NULL)
        return NULL;
    sink->header = setup->header;
    sink->main_tid = setup->main_tid;
    sink->output = setup->output;
    sink->may_colour = setup->colour;
    sink->colours = (struct lh_colours){"", "", "", ""};
    sink->stack = lh_text_stack_new(setup->header, &sink->colours);
    if (sink->stack != NULL)
        return sink;
    free(sink);
    return NULL;
}

static void text_free(void *state)
{
    struct text_sink *sink = state;
    lh_text_stack_free(sink->stack);
    free(sink);
}

static void add_head(const struct text_sink *sink, struct lh_text *text)
{
    lh_text_format(text, "loophound[%" PRIu32 "] ", sink->header->pid);
}

/* What cannot be seen: one line each. */
static size_t text_start(void *state, char *buf, size_t size)
{
    static const struct lh_colours ansi = {"\033[1;31m", "\033[36m", "\033[2m", "\033[0m"};
    struct text_sink *sink = state;
    struct lh_text text;
    if (sink->may_colour && lh_output_is_terminal(sink->output))
        sink->colours = ansi;
    lh_text_init(&text, buf, size);
    const char *line = sink->header->warnings;
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        if (length > 0) {
            add_head(sink, &text);
            lh_text_string(&text, "warning: ");
            lh_text_clean(&text, line, length);
            lh_text_char(&text, '\n');
        }
        line += length + (line[length] == '\n');
    }
    return text.length;
}

static unsigned find_open(const struct text_sink *sink, uint64_t id)
{
    unsigned i = 0;
    while (i < OPEN_IDS && (id == 0 || sink->open_ids[i] != id))
        i++;
    return i;
}

/* Has this call's stack been shown before? Remembers calls in flight, forgets what has returned. */
static bool was_shown(struct text_sink *sink, const struct lh_record *record)
{
    unsigned i = find_open(sink, record->id);
    if (record->type == LH_EVENT_BLOCK && i < OPEN_IDS)
        sink->open_ids[i] = 0;
    if (record->type == LH_EVENT_INFLIGHT && i == OPEN_IDS)
        sink->open_ids[sink->next_open++ % OPEN_IDS] = record->id;
    return i < OPEN_IDS;
}

static void add_thread(const struct text_sink *sink, struct lh_text *text,
                       const struct lh_record *record)
{
    if (record->tid == sink->main_tid)
        lh_text_string(text, "MainThread");
    else if (record->thread[0] != '\0')
        lh_text_clean(text, record->thread, strlen(record->thread));
    else
        lh_text_format(text, "thread %" PRIu32, record->tid);
}

/* Milliseconds down to their tenths or hundredths (`parts` 10 or 100; 1: whole), cut and not
 * rounded, as in JSON; from 10 s on seconds. */
static void add_elapsed(struct lh_text *text, uint64_t ns, uint64_t parts)
{
    bool long_time = ns >= 10 * NS_PER_S;
    uint64_t unit = long_time ? NS_PER_S : NS_PER_MS;
    lh_text_u64(text, ns / unit);
    if (parts > 1)
        lh_text_format(text, ".%0*" PRIu64, parts == 100 ? 2 : 1, ns % unit / (unit / parts));
    lh_text_string(text, long_time ? " s" : " ms");
}

static void add_blocked(const struct text_sink *sink, struct lh_text *text,
                        const struct lh_record *record, const char *call)
{
    lh_text_format(text, "%sblocked ", sink->colours.strong);
    add_elapsed(text, record->elapsed_ns, 10);
    lh_text_format(text, "%s in %s", sink->colours.reset, call);
}

static void add_in_flight(const struct text_sink *sink, struct lh_text *text,
                          const struct lh_record *record, const char *call)
{
    lh_text_format(text, "%sstill blocked after ", sink->colours.strong);
    add_elapsed(text, record->elapsed_ns, record->elapsed_ns < 10 * NS_PER_MS ? 10 : 1);
    lh_text_format(text, "%s in %s", sink->colours.reset, call);
}

static void add_strict(const struct text_sink *sink, struct lh_text *text,
                       const struct lh_record *record, const char *call)
{
    lh_text_format(text, "%scould block%s: %s took ", sink->colours.strong, sink->colours.reset,
                   call);
    add_elapsed(text, record->elapsed_ns, 100);
}

static void add_event(const struct text_sink *sink, struct lh_text *text,
                      const struct lh_record *record)
{
    const char *call = lh_call_info(record->call)->canonical;
    const char *error = lh_errno_name(record->error);
    add_head(sink, text);
    add_thread(sink, text, record);
    lh_text_char(text, ' ');
    if (record->type == LH_EVENT_INFLIGHT)
        add_in_flight(sink, text, record, call);
    else if (record->reason == LH_REASON_STRICT)
        add_strict(sink, text, record, call);
    else
        add_blocked(sink, text, record, call);
    lh_text_resource(text, record);
    if (error != NULL)
        lh_text_format(text, ", %s", error);
    lh_text_format(text, "  #%" PRIu64 "\n", record->id);
}

/* "60/min", as it was asked for. */
static void add_rate(struct lh_text *text, const struct lh_options *options)
{
    static const struct {
        uint64_t ns;
        const char *name;
    } windows[] = {{NS_PER_S, "s"}, {60 * NS_PER_S, "min"}, {3600 * NS_PER_S, "h"}};
    lh_text_format(text, "%" PRIu32 "/", options->rate_reports);
    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
        if (options->rate_window_ns == windows[i].ns) {
            lh_text_string(text, windows[i].name);
            return;
        }
    lh_text_duration(text, options->rate_window_ns);
}

static void add_skipped(const struct text_sink *sink, struct lh_text *text, uint32_t skipped)
{
    if (skipped == 0)
        return;
    lh_text_format(text, "  %s%" PRIu32 " more since the last one, over the rate of ",
                   sink->colours.faint, skipped);
    add_rate(text, &sink->header->options);
    lh_text_format(text, "%s\n", sink->colours.reset);
}

static size_t text_record(void *state, const struct lh_record *record,
                          const struct lh_frame *frames, uint32_t frame_count, char *buf,
                          size_t size)
{
    struct text_sink *sink = state;
    struct lh_text text;
    if (record->type == LH_EVENT_LOOP)
        return 0;
    bool shown = was_shown(sink, record);
    if (shown && record->type == LH_EVENT_INFLIGHT && record->elapsed_ns < REPEAT_NS)
        return 0;
    lh_text_init(&text, buf, size);
    sink->reported = true;
    add_event(sink, &text, record);
    add_skipped(sink, &text, record->skipped);
    if (!shown)
        lh_text_stack_add(sink->stack, &text, frames, frame_count);
    return text.length;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static size_t text_summary(void *state, int64_t time_ns, char *buf, size_t size)
{
    struct text_sink *sink = state;
    const struct lh_totals *totals = &sink->header->totals;
    uint64_t loops = atomic_load(&totals->loops);
    uint64_t blocks = atomic_load(&totals->blocks);
    uint64_t dropped = atomic_load(&totals->dropped);
    struct lh_text text;
    (void)time_ns;
    if (!sink->reported && dropped == 0)
        return 0;
    lh_text_init(&text, buf, size);
    add_head(sink, &text);
    lh_text_format(&text, "%" PRIu64 " block%s on %" PRIu64 " loop thread%s, ", blocks,
                   plural(blocks), loops, plural(loops));
    add_elapsed(&text, atomic_load(&totals->blocked_ns), 10);
    lh_text_format(&text, " in all; %" PRIu64 " report%s dropped\n", dropped, plural(dropped));
    return text.length;
}

const struct lh_sink_format lh_sink_text = {
    .new = text_new,
    .free = text_free,
    .start = text_start,
    .record = text_record,
    .summary = text_summary,
};

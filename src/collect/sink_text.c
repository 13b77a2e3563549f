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
    bool ended = record->type == LH_EVENT_BLOCK || record->type == LH_EVENT_STALL;
    if (ended && i < OPEN_IDS)
        sink->open_ids[i] = 0;
    if (!ended && i == OPEN_IDS)
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

static void add_stalling(const struct text_sink *sink, struct lh_text *text,
                         const struct lh_record *record)
{
    bool waits = record->system_call >= 0;
    const char *name = lh_syscall_name(record->system_call);
    lh_text_format(text, "%sstill %s after ", sink->colours.strong, waits ? "waiting" : "busy");
    add_elapsed(text, record->elapsed_ns, record->elapsed_ns < 10 * NS_PER_MS ? 10 : 1);
    lh_text_string(text, sink->colours.reset);
    if (waits)
        lh_text_format(text, " in system call %" PRId32 "%s%s%s, not through libc",
                       record->system_call, name != NULL ? " (" : "", name != NULL ? name : "",
                       name != NULL ? ")" : "");
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
    if (record->type == LH_EVENT_STALLING)
        add_stalling(sink, text, record);
    else if (record->type == LH_EVENT_INFLIGHT)
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

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* ", 12 ms waiting for the GIL", where it says something. */
static void add_part(struct lh_text *text, const char **before, uint64_t ns, const char *what)
{
    if (ns == LH_UNKNOWN || ns < NS_PER_MS)
        return;
    lh_text_string(text, *before);
    add_elapsed(text, ns, 10);
    lh_text_format(text, " %s", what);
    *before = ", ";
}

/* It is a part of the wait for a processor, which stands before it. */
static void add_throttled(struct lh_text *text, uint64_t ns)
{
    if (ns == LH_UNKNOWN || ns < NS_PER_MS)
        return;
    lh_text_string(text, ", throttled ");
    add_elapsed(text, ns, 10);
    lh_text_string(text, " by its cgroup (cpu.max)");
}

static void add_accounts(struct lh_text *text, const struct lh_stall *stall)
{
    const char *before = ": ";
    add_part(text, &before, stall->oncpu_ns, "on the CPU");
    add_part(text, &before, stall->blocked_ns, "blocked");
    add_part(text, &before, stall->runqueue_ns, "waiting for a processor");
    add_throttled(text, stall->throttled_ns);
    add_part(text, &before, stall->gil_ns, "waiting for the GIL");
    if (stall->major_faults != LH_UNKNOWN && stall->major_faults > 0)
        lh_text_format(text, "%s%" PRIu64 " page fault%s read from a disk", before,
                       stall->major_faults, plural(stall->major_faults));
}

/* The calls that took most of it, which are not blocks by themselves. */
static void add_calls(struct lh_text *text, const struct lh_stall *stall)
{
    for (uint32_t i = 0; i < stall->call_count; i++) {
        const struct lh_stall_call *call = &stall->calls[i];
        if (call->total_ns < NS_PER_MS)
            continue;
        lh_text_format(text, "  %s %" PRIu32 " time%s, ", lh_call_info(call->call)->canonical,
                       call->count, plural(call->count));
        add_elapsed(text, call->total_ns, 10);
        lh_text_char(text, '\n');
    }
}

/* The stack seen most often; the others only say that they were there. */
static void add_samples(const struct text_sink *sink, struct lh_text *text,
                        const struct lh_sample *samples, uint32_t count)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < count; i++)
        all += samples[i].count;
    if (all == 0)
        return;
    lh_text_format(text, "  %sin %" PRIu32 " of %" PRIu64 " samples:%s\n", sink->colours.faint,
                   samples[0].count, all, sink->colours.reset);
    lh_text_stack_add(sink->stack, text, samples[0].frames, samples[0].frame_count);
}

/* "  held by worker-0 in app.py:41 score": whoever has what the thread waits for, and their stack.
 */
static void add_holder(const struct text_sink *sink, struct lh_text *text,
                       const struct lh_holder *holder, const char *what)
{
    if (holder == NULL)
        return;
    lh_text_format(text, "  %s%s%s held by ", sink->colours.strong,
                   holder->deadlock ? "deadlock: " : "", what);
    if (holder->tid == sink->main_tid)
        lh_text_string(text, "MainThread");
    else
        lh_text_clean(text, holder->thread, strlen(holder->thread));
    lh_text_format(text, "%s (thread %" PRIu32 "%s)%s\n", sink->colours.reset, holder->tid,
                   holder->running ? ", running" : "",
                   holder->deadlock ? ", which waits for this thread" : "");
    lh_text_stack_add(sink->stack, text, holder->frames, holder->frame_count);
}

static void add_victims(const struct text_sink *sink, struct lh_text *text,
                        const struct lh_victims *victims)
{
    if (victims == NULL || victims->ready == 0)
        return;
    lh_text_format(text, "  %s%s%" PRIu32 " descriptor%s ready when it ended%s, after up to ",
                   sink->colours.strong, victims->more ? "at least " : "", victims->ready,
                   victims->ready == 1 ? " was" : "s were", sink->colours.reset);
    add_elapsed(text, victims->waited_ns, 10);
    lh_text_char(text, '\n');
}

static void add_stall(struct text_sink *sink, struct lh_text *text, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    (void)was_shown(sink, record);
    add_head(sink, text);
    add_thread(sink, text, record);
    lh_text_format(text, " %sstalled ", sink->colours.strong);
    add_elapsed(text, record->elapsed_ns, 10);
    lh_text_string(text, sink->colours.reset);
    add_accounts(text, &record->stall);
    lh_text_format(text, "  #%" PRIu64 "\n", record->id);
    add_skipped(sink, text, record->skipped);
    add_victims(sink, text, report->victims);
    add_calls(text, &record->stall);
    add_samples(sink, text, report->samples, report->sample_count);
    add_holder(sink, text, report->holder, "the GIL");
}

static void add_block(struct text_sink *sink, struct lh_text *text, const struct lh_report *report)
{
    const struct lh_record *record = report->record;
    bool shown = was_shown(sink, record);
    if (shown && record->type != LH_EVENT_BLOCK && record->elapsed_ns < REPEAT_NS)
        return;
    add_event(sink, text, record);
    add_skipped(sink, text, record->skipped);
    add_victims(sink, text, report->victims);
    if (shown)
        return;
    lh_text_stack_add(sink->stack, text, report->frames, report->frame_count);
    add_holder(sink, text, report->holder, "the lock");
}

static size_t text_report(void *state, const struct lh_report *report, char *buf, size_t size)
{
    struct text_sink *sink = state;
    struct lh_text text;
    if (report->record->type == LH_EVENT_LOOP)
        return 0;
    lh_text_init(&text, buf, size);
    if (report->record->type == LH_EVENT_STALL)
        add_stall(sink, &text, report);
    else
        add_block(sink, &text, report);
    sink->reported |= text.length > 0;
    return text.length;
}

static size_t text_summary(void *state, int64_t time_ns, char *buf, size_t size)
{
    struct text_sink *sink = state;
    const struct lh_totals *totals = &sink->header->totals;
    uint64_t loops = atomic_load(&totals->loops);
    uint64_t blocks = atomic_load(&totals->blocks);
    uint64_t stalls = atomic_load(&totals->stalls);
    uint64_t dropped = atomic_load(&totals->dropped);
    struct lh_text text;
    (void)time_ns;
    if (!sink->reported && dropped == 0)
        return 0;
    lh_text_init(&text, buf, size);
    add_head(sink, &text);
    lh_text_format(&text,
                   "%" PRIu64 " block%s and %" PRIu64 " stall%s on %" PRIu64 " loop thread%s, ",
                   blocks, plural(blocks), stalls, plural(stalls), loops, plural(loops));
    add_elapsed(&text, atomic_load(&totals->blocked_ns) + atomic_load(&totals->stalled_ns), 10);
    lh_text_format(&text, " in all; %" PRIu64 " report%s dropped\n", dropped, plural(dropped));
    return text.length;
}

const struct lh_sink_format lh_sink_text = {
    .new = text_new,
    .free = text_free,
    .start = text_start,
    .report = text_report,
    .summary = text_summary,
};

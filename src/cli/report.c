/* SPDX-License-Identifier: Apache-2.0 */
/* loophound report: its arguments, and the way of an event from a line to the output. */
#include "cli/report.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/export.h"
#include "cli/flags.h"
#include "cli/hint.h"
#include "cli/report_read.h"
#include "cli/report_time.h"

#define DIRECTORIES_MAX 16
#define TOP_DEFAULT     20

struct report {
    const char *directories[DIRECTORIES_MAX + 1];
    uint32_t directory_count;
    uint32_t top;
    lh_print_table *print; /* NULL: JSON, written as it is read */
    bool advice;
    bool tree;
    const struct lh_by *by;
    struct lh_time_range range;
    struct lh_symbol_files *files;
    struct lh_book *book;
    struct lh_table *table;
    uint64_t outside; /* events left out for their time */
};

static int fail_usage(const char *flag, const char *value, const char *expected)
{
    return lh_flag_refuse("report", flag, value, expected, "nothing read");
}

static int take_symbols(void *self, const char *value)
{
    struct report *report = self;
    if (report->directory_count == DIRECTORIES_MAX)
        return fail_usage("symbols", value, "at most 16 directories");
    report->directories[report->directory_count++] = value;
    return 0;
}

static int take_top(void *self, const char *value)
{
    struct report *report = self;
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX)
        return fail_usage("top", value, "a number");
    report->top = (uint32_t)number;
    return 0;
}

static int take_format(void *self, const char *value)
{
    static const struct {
        const char *name;
        lh_print_table *print;
    } formats[] = {{"text", lh_print_text},
                   {"markdown", lh_print_markdown},
                   {"line", lh_print_lines},
                   {"json", NULL}};
    struct report *report = self;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        report->print = formats[i].print;
        if (strcmp(value, formats[i].name) == 0)
            return 0;
    }
    return fail_usage("format", value, "text, markdown, line or json");
}

static int take_advice(void *self, const char *value)
{
    struct report *report = self;
    (void)value;
    report->advice = true;
    return 0;
}

static int take_by(void *self, const char *value)
{
    struct report *report = self;
    report->by = lh_by_find(value);
    return report->by != NULL ? 0
                              : fail_usage("by", value, "place, call, peer, task, thread or test");
}

static int take_time(const char *flag, const char *value, int64_t *us)
{
    return lh_time_parse(value, us)
               ? 0
               : fail_usage(flag, value, "a time such as 2026-11-29T08:30:00Z, or 10min (ago)");
}

static int take_since(void *self, const char *value)
{
    struct report *report = self;
    return take_time("since", value, &report->range.since_us);
}

static int take_until(void *self, const char *value)
{
    struct report *report = self;
    return take_time("until", value, &report->range.until_us);
}

static int take_tree(void *self, const char *value)
{
    struct report *report = self;
    (void)value;
    report->tree = true;
    return 0;
}

static const struct lh_flag_taker takers[] = {{"symbols", take_symbols}, {"top", take_top},
                                              {"by", take_by},           {"tree", take_tree},
                                              {"advice", take_advice},   {"since", take_since},
                                              {"until", take_until},     {"format", take_format}};

/* What would have no effect is a mistake. */
static int check_together(const struct report *report)
{
    const char *other = report->print != lh_print_text ? "--format"
                        : report->advice               ? "--advice"
                        : report->by->name != NULL     ? "--by"
                                                       : NULL;
    if (!report->tree || other == NULL)
        return 0;
    fprintf(stderr, "loophound: report: --tree has no %s; nothing read\n", other);
    return LH_EXIT_USAGE;
}

/* A process without a loop has a summary only, and that says why. */
static void say_why(const json_t *event)
{
    const char *why = lh_string_of(event, "why");
    if (why != NULL)
        fprintf(stderr, "loophound: nothing was watched there: %s\n", why);
}

static void pass_event(void *to, json_t *event)
{
    struct report *report = to;
    if (lh_is_limited(&report->range) && !lh_is_in_time(&report->range, event)) {
        report->outside++;
        return;
    }
    if (report->print != NULL) {
        say_why(event);
        lh_table_add(report->table, event);
        return;
    }
    lh_book_put_stacks(report->book, event);
    lh_complete_stacks(event, report->files);
    json_dumpf(event, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
    putchar('\n');
}

static void take_line(void *context, json_t *line)
{
    struct report *report = context;
    if (!lh_book_take(report->book, line))
        pass_event(report, line);
}

static void say_left_out(const struct report *report)
{
    if (report->outside > 0)
        fprintf(stderr, "loophound: %" PRIu64 " events of another time are left out\n",
                report->outside);
    lh_say_missing(lh_book_missing(report->book));
}

static int read_and_print(struct report *report, const char *const *names, size_t count)
{
    report->files = lh_symbol_files_new(report->directories);
    report->book = lh_book_new(report->files);
    report->table = lh_table_new(report->by, report->book);
    if (report->files == NULL || report->book == NULL || report->table == NULL) {
        fputs("loophound: out of memory; nothing read\n", stderr);
        return LH_EXIT_FAILED;
    }
    if (lh_is_limited(&report->range))
        lh_table_count_events(report->table);
    int status = lh_read_lines(names, count, take_line, report);
    lh_table_end(report->table);
    const struct lh_look look = {report->by, report->top, report->advice};
    if (report->print != NULL)
        report->print(report->table, &look);
    if (status == 0 && report->print == lh_print_text && lh_table_rows(report->table) > 0)
        lh_hint_see(stdout, names, count);
    say_left_out(report);
    return status;
}

static int print_tree(struct report *report, const char *const *names, size_t count)
{
    const struct lh_export_options options = {
        .directories = report->directories, .range = report->range, .top = report->top};
    return lh_export(lh_export_format_find("tree"), &options, names, count, NULL);
}

int lh_cmd_report(int argc, char **argv)
{
    struct report report = {.top = TOP_DEFAULT,
                            .print = lh_print_text,
                            .by = lh_by_find("place"),
                            .range = LH_ALL_TIMES};
    int status = lh_flags_take(argc, argv, takers, sizeof(takers) / sizeof(takers[0]), &report);
    if (status == 0)
        status = check_together(&report);
    if (status != 0)
        return status < 0 ? 0 : status;
    if (argv[optind] == NULL && isatty(STDIN_FILENO) == 1) {
        lh_help_print(stderr, lh_subcommand_find("report"));
        return LH_EXIT_USAGE;
    }
    status = (report.tree ? print_tree : read_and_print)(
        &report, (const char *const *)argv + optind, (size_t)(argc - optind));
    lh_table_free(report.table);
    lh_book_free(report.book);
    lh_symbol_files_free(report.files);
    return status;
}

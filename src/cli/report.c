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
#include "cli/report_input.h"
#include "cli/report_time.h"
#include "common/event_json.h"

#define DIRECTORIES_MAX 16
#define TOP_DEFAULT     20

struct report {
    const char *directories[DIRECTORIES_MAX + 1];
    uint32_t directory_count;
    uint32_t top;
    bool json;
    bool advice;
    const struct lh_by *by;
    int64_t since_us; /* INT64_MIN, INT64_MAX: no limit */
    int64_t until_us;
    struct lh_symbol_files *files;
    struct lh_book *book;
    struct lh_table *table;
    uint64_t outside; /* events left out for their time */
};

static int fail_usage(const char *what, const char *value, const char *expected)
{
    fprintf(stderr, "loophound: report: --%s %s; expected %s; nothing read\n", what, value,
            expected);
    return LH_EXIT_USAGE;
}

static int take_symbols(struct report *report, const char *value)
{
    if (report->directory_count == DIRECTORIES_MAX)
        return fail_usage("symbols", value, "at most 16 directories");
    report->directories[report->directory_count++] = value;
    return 0;
}

static int take_top(struct report *report, const char *value)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX)
        return fail_usage("top", value, "a number");
    report->top = (uint32_t)number;
    return 0;
}

static int take_format(struct report *report, const char *value)
{
    report->json = strcmp(value, "json") == 0;
    if (!report->json && strcmp(value, "text") != 0)
        return fail_usage("format", value, "text or json");
    return 0;
}

static int take_advice(struct report *report, const char *value)
{
    (void)value;
    report->advice = true;
    return 0;
}

static int take_by(struct report *report, const char *value)
{
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

static int take_since(struct report *report, const char *value)
{
    return take_time("since", value, &report->since_us);
}

static int take_until(struct report *report, const char *value)
{
    return take_time("until", value, &report->until_us);
}

/* What takes each flag, with its value, if any; its row in flags.def has the rest. */
static const struct {
    const char *name;
    int (*take)(struct report *report, const char *value);
} takers[] = {{"symbols", take_symbols}, {"top", take_top},     {"by", take_by},
              {"advice", take_advice},   {"since", take_since}, {"until", take_until},
              {"format", take_format}};

static int take_flag(struct report *report, const char *name, const char *value)
{
    size_t i = 0;
    while (strcmp(takers[i].name, name) != 0)
        i++;
    return takers[i].take(report, value);
}

#define FLAG(subcommand, short_flag, ...) FLAG_OF_##subcommand(short_flag, __VA_ARGS__)
#define FLAG_OF_run(...)                  /* none of ours */
#define FLAG_OF_rules(...)                /* likewise */
#define FLAG_OF_doctor(...)               /* likewise */

/* As getopt_long(3) wants them; each takes nothing yet. */
static struct option flags[] = {
#define FLAG_OF_report(letter, long_flag, ...) {long_flag, no_argument, NULL, letter},
#include "cli/flags.def"
    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
#undef FLAG_OF_report

/* What they take, in the same order. */
static const char *const arguments[] = {
#define FLAG(subcommand, short_flag, ...)                FLAG_OF_##subcommand(short_flag, __VA_ARGS__)
#define FLAG_OF_report(letter, long_flag, argument, ...) argument,
#include "cli/flags.def"
};

static int take_flags(struct report *report, int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++)
        flags[i].has_arg = arguments[i] != NULL ? required_argument : no_argument;
    int flag;
    int index = -1; /* of a long flag */
    int status = 0;
    while (status == 0 && (flag = getopt_long(argc, argv, "s:n:h", flags, &index)) != -1) {
        if (flag == '?')
            return LH_EXIT_USAGE; /* getopt has said it */
        if (flag == 'h') {
            lh_help_print(stdout, lh_subcommand_find("report"));
            return -1;
        }
        for (int i = 0; index < 0; i++)
            index = flags[i].val == flag ? i : -1;
        status = take_flag(report, flags[index].name, optarg);
        index = -1;
    }
    return status;
}

/* NULL, and why, where the line is no event of ours. */
static json_t *read_line(const char *line, size_t length, const char **why)
{
    static json_error_t error;
    json_t *event = json_loadb(line, length, 0, &error);
    *why = error.text;
    if (event == NULL)
        return NULL;
    if (json_integer_value(json_object_get(event, "v")) == LH_EVENT_VERSION)
        return event;
    json_decref(event);
    *why = "no \"v\": 1";
    return NULL;
}

/* Did some of it happen in the time that was asked for? What has no time did. */
static bool is_in_time(const struct report *report, const json_t *event)
{
    int64_t end_us;
    int64_t start_us;
    const char *time = lh_string_of(event, "time");
    const char *start = lh_string_of(event, "start");
    if (time == NULL || !lh_time_parse(time, &end_us))
        return true;
    if (start == NULL || !lh_time_parse(start, &start_us))
        start_us = end_us;
    return end_us >= report->since_us && start_us < report->until_us;
}

static bool has_range(const struct report *report)
{
    return report->since_us != INT64_MIN || report->until_us != INT64_MAX;
}

/* A process without a loop has a summary only, and that says why. */
static void say_why(const json_t *event)
{
    const char *why = lh_string_of(event, "why");
    if (why != NULL)
        fprintf(stderr, "loophound: nothing was watched there: %s\n", why);
}

static void pass_event(struct report *report, json_t *event)
{
    if (has_range(report) && !is_in_time(report, event)) {
        report->outside++;
        return;
    }
    if (!report->json) {
        say_why(event);
        lh_table_add(report->table, event);
        return;
    }
    lh_book_put_stacks(report->book, event);
    lh_complete_stacks(event, report->files);
    json_dumpf(event, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
    putchar('\n');
}

/* Between lines that two wrote at the same time; nothing is left out with it. */
static bool is_blank(const char *line, size_t length)
{
    return strspn(line, "\r\n") == length;
}

/* Returns how many lines were ours. */
static uint64_t read_lines(struct report *report, FILE *from, const char *name)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    uint64_t number = 0;
    uint64_t left_out = 0;
    uint64_t blank = 0;
    while ((length = getline(&line, &size, from)) >= 0) {
        const char *why;
        number++;
        if (is_blank(line, (size_t)length)) {
            blank++;
            continue;
        }
        json_t *event = read_line(line, (size_t)length, &why);
        if (event == NULL && left_out++ == 0)
            fprintf(stderr, "loophound: %s:%" PRIu64 ": not an event of ours (%s); left out\n",
                    name, number, why);
        if (event != NULL && !lh_book_take(report->book, event))
            pass_event(report, event);
        json_decref(event);
    }
    if (left_out > 1)
        fprintf(stderr, "loophound: %s: %" PRIu64 " lines in all were left out\n", name, left_out);
    free(line);
    return number - left_out - blank;
}

static int read_file(struct report *report, const char *name)
{
    struct lh_input *input = lh_input_open(name);
    const char *known_as = strcmp(name, "-") == 0 ? "standard input" : name;
    if (input == NULL) {
        fprintf(stderr, "loophound: cannot read %s: %s\n", name, strerror(errno));
        return LH_EXIT_FAILED;
    }
    FILE *from = lh_input_stream(input);
    uint64_t count = read_lines(report, from, known_as);
    bool failed = ferror(from) != 0;
    if (failed)
        fprintf(stderr, "loophound: cannot read all of %s: %s\n", known_as,
                lh_input_problem(input));
    else if (count == 0)
        fprintf(stderr, "loophound: %s has no event of ours\n", known_as);
    lh_input_close(input);
    return failed || count == 0 ? LH_EXIT_FAILED : 0;
}

static int read_files(struct report *report, char **names)
{
    int status = 0;
    if (names[0] == NULL)
        status = read_file(report, "-");
    for (; *names != NULL; names++) {
        int failed = read_file(report, *names);
        status = failed != 0 ? failed : status;
    }
    return status;
}

static void say_left_out(const struct report *report)
{
    uint64_t missing = lh_book_missing(report->book);
    if (report->outside > 0)
        fprintf(stderr, "loophound: %" PRIu64 " events of another time are left out\n",
                report->outside);
    if (missing > 0)
        fprintf(stderr,
                "loophound: the lines of %" PRIu64 " stacks or frames are not there: their file "
                "has lost its begin\n",
                missing);
}

static int read_and_print(struct report *report, char **names)
{
    report->files = lh_symbol_files_new(report->directories);
    report->book = lh_book_new(report->files);
    report->table = lh_table_new(report->by, report->book);
    if (report->files == NULL || report->book == NULL || report->table == NULL) {
        fputs("loophound: out of memory; nothing read\n", stderr);
        return LH_EXIT_FAILED;
    }
    if (report->advice)
        lh_table_show_advice(report->table);
    if (has_range(report))
        lh_table_count_events(report->table);
    int status = read_files(report, names);
    if (!report->json)
        lh_table_print(report->table, report->top);
    say_left_out(report);
    return status;
}

int lh_cmd_report(int argc, char **argv)
{
    struct report report = {.top = TOP_DEFAULT,
                            .by = lh_by_find("place"),
                            .since_us = INT64_MIN,
                            .until_us = INT64_MAX};
    int status = take_flags(&report, argc, argv);
    if (status != 0)
        return status < 0 ? 0 : status;
    if (argv[optind] == NULL && isatty(STDIN_FILENO) == 1) {
        lh_help_print(stderr, lh_subcommand_find("report"));
        return LH_EXIT_USAGE;
    }
    status = read_and_print(&report, argv + optind);
    lh_table_free(report.table);
    lh_book_free(report.book);
    lh_symbol_files_free(report.files);
    return status;
}

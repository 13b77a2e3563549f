/* loophound report: its arguments, and the way of an event from a line to the output. */
#include "cli/report.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define DIRECTORIES_MAX 16
#define TOP_DEFAULT     20
#define FORMAT_VERSION  1

struct report {
    const char *directories[DIRECTORIES_MAX + 1];
    uint32_t directory_count;
    uint32_t top;
    bool json;
    struct lh_symbol_files *files;
    struct lh_table *table;
};

void lh_help_print_report_flags(FILE *to)
{
    fputs("  -s, --symbols DIR\n"
          "        also look in DIR for files and debug files of the modules, by build-id;\n"
          "        may be repeated\n"
          "  -n, --top N\n"
          "        most rows of the table; 0: all [20]\n"
          "      --format FORMAT\n"
          "        text: the worst offenders, a table; json: every event, with the functions\n"
          "        of its stacks looked up [text]\n"
          "Without FILE, or where it is -, standard input is read.\n",
          to);
}

static int fail_usage(const char *what, const char *value, const char *expected)
{
    fprintf(stderr, "loophound: report: %s%s; expected %s; nothing read\n", what, value, expected);
    return LH_EXIT_USAGE;
}

static int take_top(struct report *report, const char *value)
{
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number > UINT32_MAX)
        return fail_usage("--top ", value, "a number");
    report->top = (uint32_t)number;
    return 0;
}

static int take_flag(struct report *report, int flag, const char *value)
{
    switch (flag) {
    case 's':
        if (report->directory_count == DIRECTORIES_MAX)
            return fail_usage("--symbols ", value, "at most 16 directories");
        report->directories[report->directory_count++] = value;
        return 0;
    case 'n':
        return take_top(report, value);
    case 'f':
        report->json = strcmp(value, "json") == 0;
        if (!report->json && strcmp(value, "text") != 0)
            return fail_usage("--format ", value, "text or json");
        return 0;
    case 'h':
        lh_help_print(stdout, lh_subcommand_find("report"));
        return -1;
    default:
        return LH_EXIT_USAGE; /* getopt has said it */
    }
}

static int take_flags(struct report *report, int argc, char **argv)
{
    static const struct option flags[] = {{"symbols", required_argument, NULL, 's'},
                                          {"top", required_argument, NULL, 'n'},
                                          {"format", required_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int flag;
    int status = 0;
    while (status == 0 && (flag = getopt_long(argc, argv, "s:n:h", flags, NULL)) != -1)
        status = take_flag(report, flag, optarg);
    return status;
}

/* NULL, and why, where the line is no event of ours. */
static json_t *read_event(const char *line, size_t length, const char **why)
{
    static json_error_t error;
    json_t *event = json_loadb(line, length, 0, &error);
    *why = error.text;
    if (event == NULL)
        return NULL;
    if (json_integer_value(json_object_get(event, "v")) == FORMAT_VERSION)
        return event;
    json_decref(event);
    *why = "no \"v\": 1";
    return NULL;
}

static void pass_event(const struct report *report, json_t *event)
{
    lh_complete_stacks(event, report->files);
    if (report->json) {
        json_dumpf(event, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
        putchar('\n');
    } else {
        lh_table_add(report->table, event);
    }
    json_decref(event);
}

static void read_lines(const struct report *report, FILE *from, const char *name)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    uint64_t number = 0;
    uint64_t left_out = 0;
    while ((length = getline(&line, &size, from)) >= 0) {
        const char *why;
        json_t *event = read_event(line, (size_t)length, &why);
        number++;
        if (event != NULL)
            pass_event(report, event);
        else if (left_out++ == 0)
            fprintf(stderr, "loophound: %s:%" PRIu64 ": not an event of ours (%s); left out\n",
                    name, number, why);
    }
    if (left_out > 1)
        fprintf(stderr, "loophound: %s: %" PRIu64 " lines in all were left out\n", name, left_out);
    free(line);
}

static int read_file(const struct report *report, const char *name)
{
    bool standard_input = strcmp(name, "-") == 0;
    FILE *from = standard_input ? stdin : fopen(name, "re");
    if (from == NULL) {
        fprintf(stderr, "loophound: cannot read %s: %s\n", name, strerror(errno));
        return LH_EXIT_FAILED;
    }
    read_lines(report, from, standard_input ? "standard input" : name);
    bool failed = ferror(from) != 0;
    if (failed)
        fprintf(stderr, "loophound: cannot read all of %s: %s\n", name, strerror(errno));
    if (!standard_input)
        fclose(from);
    return failed ? LH_EXIT_FAILED : 0;
}

static int read_files(const struct report *report, char **names)
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

int lh_cmd_report(int argc, char **argv)
{
    struct report report = {.top = TOP_DEFAULT};
    int status = take_flags(&report, argc, argv);
    if (status != 0)
        return status < 0 ? 0 : status;
    report.files = lh_symbol_files_new(report.directories);
    report.table = lh_table_new();
    if (report.files != NULL && report.table != NULL) {
        status = read_files(&report, argv + optind);
        if (!report.json)
            lh_table_print(report.table, report.top);
    } else {
        fputs("loophound: out of memory; nothing read\n", stderr);
        status = LH_EXIT_FAILED;
    }
    lh_table_free(report.table);
    lh_symbol_files_free(report.files);
    return status;
}

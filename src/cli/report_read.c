/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of files of reports. See report_read.h. */
#include "cli/report_read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/report_input.h"
#include "cli/report_progress.h"
#include "cli/report_time.h"
#include "common/event.h"

struct reader {
    lh_take_line *take;
    void *context;
    uint64_t lines;
    uint64_t left_out;
    uint64_t blank; /* between lines that two wrote at the same time: nothing is left out with it */
};

/* NULL, and why, where the line is no event of ours. */
static json_t *parse_line(const char *line, size_t length, const char **why)
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

static void take_line(struct reader *reader, const char *line, size_t length, const char *name)
{
    const char *why;
    reader->lines++;
    if (strspn(line, "\r\n") == length) {
        reader->blank++;
        return;
    }
    json_t *event = parse_line(line, length, &why);
    if (event != NULL)
        reader->take(reader->context, event);
    else if (reader->left_out++ == 0)
        fprintf(stderr, "loophound: %s:%" PRIu64 ": not an event of ours (%s); left out\n", name,
                reader->lines, why);
    json_decref(event);
}

static void take_lines(struct reader *reader, struct lh_input *input, const char *name)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    struct lh_progress progress;
    lh_progress_begin(&progress, name);
    while ((length = getline(&line, &size, lh_input_stream(input))) >= 0) {
        take_line(reader, line, (size_t)length, name);
        if (lh_progress_is_due(&progress, reader->lines))
            lh_progress_show(&progress, reader->lines, lh_input_share(input));
    }
    lh_progress_end(&progress);
    if (reader->left_out > 1)
        fprintf(stderr, "loophound: %s: %" PRIu64 " lines in all were left out\n", name,
                reader->left_out);
    free(line);
}

static int read_file(const char *name, lh_take_line *take, void *context)
{
    struct reader reader = {.take = take, .context = context};
    struct lh_input *input = lh_input_open(name);
    const char *known_as = strcmp(name, "-") == 0 ? "standard input" : name;
    if (input == NULL) {
        fprintf(stderr, "loophound: cannot read %s: %s\n", name, strerror(errno));
        return LH_EXIT_FAILED;
    }
    take_lines(&reader, input, known_as);
    uint64_t count = reader.lines - reader.left_out - reader.blank;
    bool failed = ferror(lh_input_stream(input)) != 0;
    if (failed)
        fprintf(stderr, "loophound: cannot read all of %s: %s\n", known_as,
                lh_input_problem(input));
    else if (count == 0)
        fprintf(stderr, "loophound: %s has no event of ours\n", known_as);
    lh_input_close(input);
    return failed || count == 0 ? LH_EXIT_FAILED : 0;
}

int lh_read_lines(const char *const *names, size_t count, lh_take_line *take, void *context)
{
    int status = 0;
    if (count == 0)
        return read_file("-", take, context);
    for (size_t i = 0; i < count; i++) {
        int failed = read_file(names[i], take, context);
        status = failed != 0 ? failed : status;
    }
    return status;
}

bool lh_is_limited(const struct lh_time_range *range)
{
    return range->since_us != INT64_MIN || range->until_us != INT64_MAX;
}

bool lh_is_in_time(const struct lh_time_range *range, const json_t *event)
{
    int64_t end_us;
    int64_t start_us;
    const char *time = json_string_value(json_object_get(event, "time"));
    const char *start = json_string_value(json_object_get(event, "start"));
    if (time == NULL || !lh_time_parse(time, &end_us))
        return true;
    if (start == NULL || !lh_time_parse(start, &start_us))
        start_us = end_us;
    return end_us >= range->since_us && start_us < range->until_us;
}

void lh_say_missing(uint64_t missing)
{
    if (missing > 0)
        fprintf(stderr,
                "loophound: the lines of %" PRIu64 " stacks or frames are not there: their file "
                "has lost its begin\n",
                missing);
}

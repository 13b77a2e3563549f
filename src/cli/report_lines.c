/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that others wrote, and what of them is an event. See report_lines.h. */
#include "cli/report_lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/report.h"
#include "cli/report_input.h"
#include "common/event_json.h"

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

/* Between lines that two wrote at the same time; nothing is left out with it. */
static bool is_blank(const char *line, size_t length)
{
    return strspn(line, "\r\n") == length;
}

/* Returns how many lines were ours. */
static uint64_t read_lines(const struct lh_lines *lines, FILE *from, const char *name)
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
        if (event != NULL && !lh_book_take(lines->book, event))
            lines->pass(lines->to, event);
        json_decref(event);
    }
    if (left_out > 1)
        fprintf(stderr, "loophound: %s: %" PRIu64 " lines in all were left out\n", name, left_out);
    free(line);
    return number - left_out - blank;
}

static int read_file(const struct lh_lines *lines, const char *name)
{
    struct lh_input *input = lh_input_open(name);
    const char *known_as = strcmp(name, "-") == 0 ? "standard input" : name;
    if (input == NULL) {
        fprintf(stderr, "loophound: cannot read %s: %s\n", name, strerror(errno));
        return LH_EXIT_FAILED;
    }
    FILE *from = lh_input_stream(input);
    uint64_t count = read_lines(lines, from, known_as);
    bool failed = ferror(from) != 0;
    if (failed)
        fprintf(stderr, "loophound: cannot read all of %s: %s\n", known_as,
                lh_input_problem(input));
    else if (count == 0)
        fprintf(stderr, "loophound: %s has no event of ours\n", known_as);
    lh_input_close(input);
    return failed || count == 0 ? LH_EXIT_FAILED : 0;
}

int lh_lines_read(const struct lh_lines *lines, const char *const *names)
{
    int status = 0;
    if (names[0] == NULL)
        status = read_file(lines, "-");
    for (; *names != NULL; names++) {
        int failed = read_file(lines, *names);
        status = failed != 0 ? failed : status;
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The baseline of loophound run: the places that are known, in a file that is made to be committed.
 *
 * It is a file of rules, sorted, one a line. What a person has added to a line, a reason, stays. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/baseline.h"
#include "cli/cli.h"
#include "cli/run.h"
#include "collect/sink/text_parts.h"
#include "common/text.h"

const char lh_baseline_begin[] = "# loophound baseline";

static const char header[] =
    "# loophound baseline: places that are known to block; what is reported elsewhere is new.\n"
    "# Rules, sorted, one a line; commit it, and merge it by hand. loophound run --baseline FILE\n"
    "# --update-baseline adds places, and with --force drops those that were not seen.\n";

bool lh_begins_as_baseline(FILE *file)
{
    char line[sizeof(lh_baseline_begin)];
    return fgets(line, sizeof(line), file) != NULL && strcmp(line, lh_baseline_begin) == 0;
}

bool lh_is_baseline(const char *name)
{
    struct stat status;
    if (stat(name, &status) != 0 || !S_ISREG(status.st_mode))
        return false; /* a pipe is read once */
    FILE *file = fopen(name, "re");
    bool is = file != NULL && lh_begins_as_baseline(file);
    if (file != NULL)
        fclose(file);
    return is;
}

static void put_span(struct lh_text *text, const struct lh_span *span)
{
    lh_text_clean(text, span->text, span->length);
}

void lh_baseline_place(const struct lh_rule *rule, struct lh_text *what, struct lh_text *where)
{
    const struct lh_rule_part *part = rule->parts;
    bool is_place =
        rule->part_count == 2 && !rule->always && part[1].condition == LH_CONDITION_place &&
        (part[0].condition == LH_CONDITION_call || part[0].condition == LH_CONDITION_type);
    if (!is_place) {
        put_span(where, &rule->text);
        return;
    }
    put_span(what, &part[0].glob);
    put_span(where, &part[1].glob);
    lh_text_string(where, part[1].function.length > 0 ? " " : "");
    put_span(where, &part[1].function);
}

/* An empty file is anybody's. */
static bool is_empty(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

int lh_run_check_baseline(const struct lh_run_flags *flags, const char *path, bool *fresh)
{
    struct stat status;
    *fresh = false;
    if (path[0] == '\0' || (stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
        return 0; /* who reads it says what is wrong */
    FILE *file = fopen(path, "re");
    if (file == NULL && errno == ENOENT && !flags->update_baseline) {
        fprintf(stderr,
                "loophound: there is no baseline %s; --update-baseline makes it; nothing started\n",
                path);
        return LH_EXIT_USAGE;
    }
    if (file == NULL || !flags->update_baseline) { /* what else is wrong is said by who reads it */
        *fresh = file == NULL && errno == ENOENT;
        if (file != NULL)
            fclose(file);
        return 0;
    }
    *fresh = is_empty(file);
    bool ours = *fresh || lh_begins_as_baseline(file);
    fclose(file);
    if (ours)
        return 0;
    if (!flags->force) {
        fprintf(stderr,
                "loophound: %s is no baseline of ours: its first line does not begin with \"%s\"; "
                "--force writes over it; nothing started\n",
                path, lh_baseline_begin);
        return LH_EXIT_USAGE;
    }
    *fresh = true;
    return 0;
}

uint64_t lh_run_gone(const struct lh_verdict *verdict)
{
    uint64_t gone = 0;
    for (uint32_t i = 0; i < verdict->baseline->count; i++)
        gone += verdict->baseline_uses[i] == 0;
    return gone;
}

/* The lines of the new file: those that stay, as they are written, and the new ones. */
struct lines {
    char **line;
    size_t count;
    size_t room;
    bool failed;
};

static void add_line(struct lines *lines, const char *text, size_t length)
{
    if (lines->count == lines->room) {
        size_t room = lines->room > 0 ? 2 * lines->room : 64;
        char **line = reallocarray(lines->line, room, sizeof(*line));
        lines->failed |= line == NULL;
        if (line == NULL)
            return;
        lines->line = line;
        lines->room = room;
    }
    char *copy = strndup(text, length);
    lines->failed |= copy == NULL;
    if (copy != NULL)
        lines->line[lines->count++] = copy;
}

static void free_lines(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->line[i]);
    free(lines->line);
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* A rule with its reason, as one line. */
static void add_rule(struct lines *lines, const struct lh_rule *rule)
{
    char *line;
    int length = rule->reason.length > 0
                     ? asprintf(&line, "%.*s # %.*s", (int)rule->text.length, rule->text.text,
                                (int)rule->reason.length, rule->reason.text)
                     : asprintf(&line, "%.*s", (int)rule->text.length, rule->text.text);
    lines->failed |= length < 0;
    if (length < 0)
        return;
    add_line(lines, line, (size_t)length);
    free(line);
}

/* Beside the file, and then in its place: nobody ever reads half of it. A link stays one. */
static int write_file(const char *path, const struct lines *lines)
{
    char real[PATH_MAX];
    char *temporary;
    struct stat before;
    mode_t mask = umask(0);
    umask(mask);
    const char *target = realpath(path, real) != NULL ? real : path;
    if (asprintf(&temporary, "%s.XXXXXX", target) < 0)
        return -ENOMEM;
    int fd = mkstemp(temporary);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    int error = file != NULL ? 0 : -errno;
    if (error == 0) {
        fputs(header, file);
        for (size_t i = 0; i < lines->count; i++)
            if (i == 0 || strcmp(lines->line[i], lines->line[i - 1]) != 0)
                fprintf(file, "%s\n", lines->line[i]);
        (void)fchmod(fd, stat(target, &before) == 0 ? before.st_mode & 07777 : 0666 & ~mask);
        bool failed = ferror(file) != 0;
        failed |= fclose(file) != 0;
        error = failed || rename(temporary, target) != 0 ? -errno : 0;
    }
    if (error != 0 && fd >= 0)
        unlink(temporary);
    free(temporary);
    return error;
}

int lh_run_update_baseline(const struct lh_verdict *verdict, const char *path, bool drop)
{
    struct lines lines = {NULL, 0, 0, false};
    const struct lh_rule_set *baseline = verdict->baseline;
    for (uint32_t i = 0; i < baseline->count; i++)
        if (!drop || verdict->baseline_uses[i] > 0)
            add_rule(&lines, &baseline->rules[i]);
    for (uint32_t i = 0; i < verdict->new_count; i++)
        add_line(&lines, verdict->new_places[i]->rule, strlen(verdict->new_places[i]->rule));
    if (lines.count > 0)
        qsort(lines.line, lines.count, sizeof(*lines.line), by_text);
    int error = lines.failed ? -ENOMEM : write_file(path, &lines);
    free_lines(&lines);
    if (error != 0)
        fprintf(stderr, "loophound: cannot write %s: %s; it is as it was\n", path,
                strerror(-error));
    else
        fprintf(stderr, "loophound: %s: %" PRIu32 " place%s added, %" PRIu64 " not seen and %s\n",
                path, verdict->new_count, lh_text_plural(verdict->new_count), lh_run_gone(verdict),
                drop ? "dropped" : "kept");
    return error;
}

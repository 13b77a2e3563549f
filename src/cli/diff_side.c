/* SPDX-License-Identifier: Apache-2.0 */
/* One of the two that are compared: JSON Lines, or a baseline. See diff.h.
 *
 * The file may come from anywhere: what has the wrong type counts as not there. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/baseline.h"
#include "cli/cli.h"
#include "cli/diff.h"
#include "cli/report_read.h"
#include "cli/report_time.h"
#include "collect/report/place_rule.h"
#include "collect/report/rule_set.h"
#include "common/fnv.h"

#define US_PER_S  1e6
#define PID_BYTES 32

static const char *const no_directories[] = {NULL};

/* What the rows are made of. */
struct lh_diff_source {
    struct lh_symbol_files *files;
    struct lh_book *book;
    struct lh_table *table;
    json_t *begun; /* pid: its `start`, until its end is known */
    struct lh_rule_set rules;
    char **texts; /* of a baseline's rows */
};

static void end_program(struct lh_diff_side *side, const json_t *start, const json_t *end)
{
    int64_t begin_us;
    int64_t end_us;
    const char *begin = lh_string_of(start, "time");
    const char *time = lh_string_of(end, "time");
    if (begin == NULL || time == NULL || !lh_time_parse(begin, &begin_us) ||
        !lh_time_parse(time, &end_us) || end_us < begin_us)
        side->endless++;
    else
        side->watched_s += (double)(end_us - begin_us) / US_PER_S;
}

static bool is_same_run(const json_t *a, const json_t *b)
{
    const char *one = lh_string_of(a, "run");
    const char *other = lh_string_of(b, "run");
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

/* A process that has a loop again after an exec goes on; another run's of the same number does not.
 */
static void note_start(struct lh_diff_side *side, const char *pid, json_t *event)
{
    json_t *begun = side->source->begun;
    const json_t *before = json_object_get(begun, pid);
    side->strict |= json_is_true(json_object_get(event, "strict"));
    side->programs++;
    if (before != NULL && is_same_run(before, event))
        end_program(side, before, event);
    else if (before != NULL)
        side->endless++;
    json_object_set(begun, pid, event);
}

static void note_summary(struct lh_diff_side *side, const char *pid, const json_t *event)
{
    json_t *begun = side->source->begun;
    const json_t *start = json_object_get(begun, pid);
    if (start != NULL)
        end_program(side, start, event);
    json_object_del(begun, pid);
}

static void take_line(void *context, json_t *event)
{
    struct lh_diff_side *side = context;
    char pid[PID_BYTES];
    const char *type = lh_string_of(event, "type");
    if (lh_book_take(side->source->book, event))
        return;
    (void)snprintf(pid, sizeof(pid), "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(event, "pid")));
    if (type != NULL && strcmp(type, "start") == 0)
        note_start(side, pid, event);
    else if (type != NULL && strcmp(type, "summary") == 0)
        note_summary(side, pid, event);
    lh_table_add(side->source->table, event);
}

static int by_key(const void *left, const void *right)
{
    const struct lh_offence *a = left;
    const struct lh_offence *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

static int fail_memory(void)
{
    fputs("loophound: out of memory; nothing compared\n", stderr);
    return LH_EXIT_FAILED;
}

static int new_rows(struct lh_diff_side *side, uint32_t count)
{
    side->rows.row = calloc(count > 0 ? count : 1, sizeof(*side->rows.row));
    return side->rows.row != NULL ? 0 : fail_memory();
}

static void sort_rows(struct lh_diff_side *side)
{
    if (side->rows.count > 0)
        qsort(side->rows.row, side->rows.count, sizeof(*side->rows.row), by_key);
}

/* The programs count also what their rate, or a full disk, kept from being written. */
static uint64_t unwritten(const struct lh_diff_side *side)
{
    struct lh_sums sums = lh_table_sums(side->source->table);
    uint64_t told = sums.blocks + sums.stalls;
    uint64_t written = 0;
    for (uint32_t i = 0; i < side->rows.count; i++)
        written += side->rows.row[i].count;
    return told > written ? told - written : 0;
}

static int take_rows(struct lh_diff_side *side)
{
    const struct lh_table *table = side->source->table;
    int status = new_rows(side, lh_table_rows(table));
    if (status != 0)
        return status;
    for (; side->rows.count < lh_table_rows(table); side->rows.count++)
        side->rows.row[side->rows.count] = lh_table_row(table, side->rows.count);
    side->unwritten = unwritten(side);
    sort_rows(side);
    return 0;
}

static int read_events(struct lh_diff_side *side)
{
    struct lh_diff_source *source = side->source;
    source->files = lh_symbol_files_new(no_directories);
    source->book = lh_book_new(source->files);
    source->table = lh_table_new(&lh_by_loose_place, source->book);
    source->begun = json_object();
    if (source->files == NULL || source->book == NULL || source->table == NULL ||
        source->begun == NULL)
        return fail_memory();
    const char *const names[] = {side->name};
    int status = lh_read_lines(names, 1, take_line, side);
    if (status != 0)
        return status;
    side->endless += json_object_size(source->begun);
    lh_table_end(source->table);
    lh_say_missing(lh_book_missing(source->book));
    return take_rows(side);
}

static char *text_of(const struct lh_rule *rule)
{
    char what_buf[LH_WHAT_BYTES];
    char where_buf[LH_PLACE_RULE_BYTES];
    struct lh_text what;
    struct lh_text where;
    char *both;
    lh_text_init(&what, what_buf, sizeof(what_buf));
    lh_text_init(&where, where_buf, sizeof(where_buf));
    lh_baseline_place(rule, &what, &where);
    return asprintf(&both, "%s%c%s", what_buf, 0, where_buf) < 0 ? NULL : both;
}

static bool put_rule(struct lh_diff_side *side, const struct lh_rule *rule)
{
    char *text = text_of(rule);
    if (text == NULL)
        return false;
    side->source->texts[side->rows.count] = text;
    side->rows.row[side->rows.count++] =
        (struct lh_offence){.key = lh_fnv(LH_FNV_START, rule->text.text, rule->text.length),
                            .what = text,
                            .where = text + strlen(text) + 1,
                            .source = "",
                            .advice = "",
                            .on = "",
                            .count = 1};
    return true;
}

static int read_baseline(struct lh_diff_side *side)
{
    char buf[LH_RULE_PROBLEM_BYTES];
    struct lh_text problem;
    struct lh_rule_set *rules = &side->source->rules;
    lh_text_init(&problem, buf, sizeof(buf));
    int error = lh_rule_set_add_file(rules, side->name, "", "nothing compared", &problem);
    fputs(buf, stderr);
    if (error != 0)
        return error == -EINVAL ? LH_EXIT_USAGE : LH_EXIT_FAILED;
    side->source->texts = calloc(rules->count > 0 ? rules->count : 1, sizeof(char *));
    if (side->source->texts == NULL || new_rows(side, rules->count) != 0)
        return LH_EXIT_FAILED;
    for (uint32_t i = 0; i < rules->count; i++)
        if (!put_rule(side, &rules->rules[i]))
            return fail_memory();
    sort_rows(side);
    return 0;
}

int lh_diff_side_read(struct lh_diff_side *side)
{
    side->source = calloc(1, sizeof(*side->source));
    if (side->source == NULL)
        return fail_memory();
    side->baseline = lh_is_baseline(side->name);
    return side->baseline ? read_baseline(side) : read_events(side);
}

void lh_diff_side_free(struct lh_diff_side *side)
{
    struct lh_diff_source *source = side->source;
    if (source == NULL)
        return;
    for (uint32_t i = 0; source->texts != NULL && i < side->rows.count; i++)
        free(source->texts[i]);
    free(source->texts);
    lh_rule_set_free(&source->rules);
    lh_table_free(source->table);
    lh_book_free(source->book);
    lh_symbol_files_free(source->files);
    json_decref(source->begun);
    free(side->rows.row);
    free(source);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How a benchmark in C tells a figure: a row of the table that all benchmarks print, with its
 * target and whether that is met, and a line of JSON in the file that BENCH_FIGURES names, if it
 * does, of which bench.py makes build/bench.json. The figures and their targets: targets.def. In
 * Python: figures.py. */
#ifndef LH_TESTS_BENCH_FIGURES_H
#define LH_TESTS_BENCH_FIGURES_H

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LIMIT INFINITY

enum figure_goal { AT_MOST, AT_LEAST, LESS, MORE };

enum figure_id {
#define FIGURE(id, unit, goal, target, high, name) FIGURE_##id,
#include "targets.def"
#undef FIGURE
    FIGURES
};

static const struct {
    const char *id;
    const char *unit;
    enum figure_goal goal;
    double target;
    double high;
    const char *name;
} figure_rows[FIGURES] = {
#define FIGURE(id, unit, goal, target, high, name) {#id, unit, goal, target, high, name},
#include "targets.def"
#undef FIGURE
};

/* A value with the ends of its 95 % interval, NAN where there is none, and what it was taken from.
 */
struct figure {
    double value, low, high;
    size_t repeats;
};

static inline int figure_compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of what was measured again and again, which is sorted; its interval is that of order
 * statistics, which asks for no distribution: the ranks n/2 -+ 1.96 sqrt(n)/2. */
static inline struct figure figure_median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), figure_compare);
    double reach = 0.98 * sqrt((double)count);
    double middle = (double)count / 2;
    size_t low = middle > reach ? (size_t)(middle - reach) : 0;
    size_t high = (size_t)ceil(middle + reach);
    double median =
        count % 2 != 0 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    return (struct figure){median, values[low], values[high < count ? high : count - 1], count};
}

/* One that was measured once, or that has no interval, as a worst case. */
static inline struct figure figure_once(double value)
{
    return (struct figure){value, NAN, NAN, 1};
}

/* As many digits as say something. Returns `text`. */
static inline const char *figure_number(double value, char *text, size_t size)
{
    double amount = fabs(value);
    int digits = amount >= 100 || value == 0 ? 0 : amount >= 10 ? 1 : amount >= 2 ? 2 : 4;
    snprintf(text, size, "%.*f", digits, value);
    return text;
}

/* By how much a goal is missed: 0 where it is met, or where there is none. */
static inline double figure_missed_by(enum figure_id id, struct figure figure)
{
    double miss = 0;
    if (figure_rows[id].goal == AT_LEAST)
        return fmax(0, figure_rows[id].target - figure.value);
    if (figure_rows[id].goal == AT_MOST)
        miss = fmax(0, figure.value - figure_rows[id].target);
    if (!isinf(figure_rows[id].high) && !isnan(figure.high))
        miss = fmax(miss, figure.high - figure_rows[id].high);
    return miss;
}

static inline void figure_write_json(enum figure_id id, const char *thing, struct figure figure)
{
    static const char *const directions[] = {"at most", "at least", "less", "more"};
    const char *path = getenv("BENCH_FIGURES");
    FILE *to = path != NULL ? fopen(path, "a") : NULL;
    if (to == NULL)
        return;
    bool promised = figure_rows[id].goal == AT_MOST || figure_rows[id].goal == AT_LEAST;
    fprintf(to, "{\"figure\": \"%s%s%s\", \"unit\": \"%s\", \"value\": %.9g, ", figure_rows[id].id,
            *thing != '\0' ? "/" : "", thing, figure_rows[id].unit, figure.value);
    if (isnan(figure.low))
        fprintf(to, "\"low\": null, \"high\": null, ");
    else
        fprintf(to, "\"low\": %.9g, \"high\": %.9g, ", figure.low, figure.high);
    if (promised)
        fprintf(to, "\"target\": %g, ", figure_rows[id].target);
    else
        fprintf(to, "\"target\": null, ");
    fprintf(to, "\"direction\": \"%s\", \"repeats\": %zu}\n", directions[figure_rows[id].goal],
            figure.repeats);
    fclose(to);
}

/* "at most 1.01, to 1.02"; "" where nothing is promised. */
static inline void figure_target_text(enum figure_id id, char *text, size_t size)
{
    bool least = figure_rows[id].goal == AT_LEAST;
    *text = '\0';
    if (!least && figure_rows[id].goal != AT_MOST)
        return;
    int end = snprintf(text, size, "at %s %g", least ? "least" : "most", figure_rows[id].target);
    if (!isinf(figure_rows[id].high) && end > 0 && end < (int)size)
        snprintf(text + end, size - (size_t)end, ", to %g", figure_rows[id].high);
}

/* Tells a figure. `thing`: what it was taken of, without quotes in it, or "". */
static inline void figure_tell(enum figure_id id, const char *thing, struct figure figure)
{
    char name[96];
    char number[32];
    char low[32];
    char high[32];
    char interval[72] = "";
    char target[72];
    char met[48] = "";
    double missed = figure_missed_by(id, figure);
    snprintf(name, sizeof(name), "%s%s%s", thing, *thing != '\0' ? ": " : "", figure_rows[id].name);
    if (!isnan(figure.low))
        snprintf(interval, sizeof(interval), "[%s to %s]",
                 figure_number(figure.low, low, sizeof(low)),
                 figure_number(figure.high, high, sizeof(high)));
    figure_target_text(id, target, sizeof(target));
    if (missed > 0)
        snprintf(met, sizeof(met), "not met by %s", figure_number(missed, low, sizeof(low)));
    else if (*target != '\0')
        snprintf(met, sizeof(met), "met");
    char row[256];
    int end = snprintf(row, sizeof(row), "  %-58s %10s %-5s %-22s %-26s %s", name,
                       figure_number(figure.value, number, sizeof(number)), figure_rows[id].unit,
                       interval, target, met);
    while (end > 0 && end < (int)sizeof(row) && row[end - 1] == ' ')
        row[--end] = '\0';
    puts(row);
    fflush(stdout);
    figure_write_json(id, thing, figure);
}

#endif

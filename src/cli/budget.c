/* SPDX-License-Identifier: Apache-2.0 */
/* loophound run --budget: what blocks and stalls may come to. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/run.h"
#include "common/number.h"
#include "common/text.h"
#include "common/units.h"

#define MILLION    1000000u
#define TERM_BYTES 64
#define COUNT_MAX  1000000000u

enum measure { MEASURE_WORST, MEASURE_TOTAL, MEASURE_COUNT, MEASURES };

static const char *const measures[MEASURES] = {"worst", "total", "count"};

static const char expected_terms[] =
    "at most 16 terms such as worst<250ms,total<1%,count<10,dns.total<50ms or stall.count<3";

/* "0.5%" in millionths. */
static int read_share(const char *text, uint64_t *share)
{
    uint64_t scale = MILLION / 100;
    const char *end = lh_number_read(text, 100, share);
    if (end == NULL)
        return -EINVAL;
    *share *= scale;
    if (*end == '.') {
        if (!lh_is_digit(*++end))
            return -EINVAL;
        for (; lh_is_digit(*end); end++) {
            scale /= 10;
            *share += (uint64_t)(*end - '0') * scale;
        }
    }
    return strcmp(end, "%") == 0 ? 0 : -EINVAL;
}

static int read_limit(struct lh_budget_term *term, const char *limit)
{
    if (term->measure == MEASURE_COUNT) {
        const char *end = lh_number_read(limit, COUNT_MAX, &term->limit);
        return end != NULL && *end == '\0' ? 0 : -EINVAL;
    }
    term->share = term->measure == MEASURE_TOTAL && read_share(limit, &term->limit) == 0;
    return term->share ? 0 : lh_duration_read(limit, &term->limit);
}

/* Behind "dns." or "stall."; NULL: there is no such group. */
static const char *read_group(struct lh_budget_term *term, const char *text)
{
    const char *point = strchr(text, '.');
    const char *sign = strchr(text, '<');
    term->group = -1;
    if (point == NULL || sign == NULL || point > sign)
        return text;
    for (int group = 0; group <= LH_TALLY_STALLS; group++) {
        const char *name = group == LH_TALLY_STALLS ? "stall" : lh_group_name((enum lh_group)group);
        if (strlen(name) == (size_t)(point - text) && lh_starts_with(text, name))
            term->group = group;
    }
    return term->group >= 0 ? point + 1 : NULL;
}

static int read_term(struct lh_budget_term *term, const char *text)
{
    text = read_group(term, text);
    for (int i = 0; text != NULL && i < MEASURES; i++) {
        size_t length = strlen(measures[i]);
        if (!lh_starts_with(text, measures[i]) || text[length] != '<')
            continue;
        term->measure = i;
        return read_limit(term, text + length + 1);
    }
    return -EINVAL;
}

int lh_budget_parse(struct lh_budget *budget, const char *text, const char **expected)
{
    char one[TERM_BYTES];
    *expected = expected_terms;
    budget->count = 0;
    for (;;) {
        size_t length = strcspn(text, ",");
        if (length >= sizeof(one) || budget->count == LH_BUDGET_TERMS)
            return -EINVAL;
        memcpy(one, text, length);
        one[length] = '\0';
        struct lh_budget_term *term = &budget->terms[budget->count++];
        *term = (struct lh_budget_term){.text = text, .length = (int)length};
        if (read_term(term, one) != 0)
            return -EINVAL;
        if (text[length] == '\0')
            return 0;
        text += length + 1;
    }
}

static struct lh_tally tally_of(const struct lh_tally *tallies, int group)
{
    struct lh_tally sum = {0, 0, 0};
    for (int i = 0; i <= LH_TALLY_STALLS; i++) {
        if (group >= 0 && group != i)
            continue;
        sum.count += tallies[i].count;
        sum.total_ns += tallies[i].total_ns;
        sum.worst_ns = tallies[i].worst_ns > sum.worst_ns ? tallies[i].worst_ns : sum.worst_ns;
    }
    return sum;
}

static double ms_of(uint64_t ns)
{
    return (double)ns / LH_NS_PER_MS;
}

/* It holds below the limit. */
static bool holds(const struct lh_budget_term *term, const struct lh_tally *tally,
                  uint64_t elapsed_ns)
{
    if (term->measure == MEASURE_COUNT)
        return tally->count < term->limit;
    if (term->measure == MEASURE_WORST)
        return tally->worst_ns < term->limit;
    if (!term->share)
        return tally->total_ns < term->limit;
    return (double)tally->total_ns * MILLION < (double)term->limit * (double)elapsed_ns;
}

static void say(const struct lh_budget_term *term, const struct lh_tally *tally,
                uint64_t elapsed_ns)
{
    fprintf(stderr, "loophound: over budget: %.*s: ", term->length, term->text);
    if (term->measure == MEASURE_COUNT)
        fprintf(stderr, "there were %" PRIu64 "\n", tally->count);
    else if (term->measure == MEASURE_WORST)
        fprintf(stderr, "the longest took %.1f ms\n", ms_of(tally->worst_ns));
    else if (term->share)
        fprintf(stderr, "%.1f ms of the %.1f ms that the command ran\n", ms_of(tally->total_ns),
                ms_of(elapsed_ns));
    else
        fprintf(stderr, "%.1f ms in all\n", ms_of(tally->total_ns));
}

uint32_t lh_budget_check(const struct lh_budget *budget, const struct lh_tally *tallies,
                         uint64_t elapsed_ns)
{
    uint32_t broken = 0;
    for (uint32_t i = 0; i < budget->count; i++) {
        const struct lh_budget_term *term = &budget->terms[i];
        struct lh_tally tally = tally_of(tallies, term->group);
        if (holds(term, &tally, elapsed_ns))
            continue;
        say(term, &tally, elapsed_ns);
        broken++;
    }
    return broken;
}

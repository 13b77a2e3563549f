/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time. See report_time.h. */
#include "cli/report_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define US_PER_S 1000000
#define AGO_MAX  10000000 /* of the longest unit, its us fit 64 bits */

/* "90s" and the like: how long before now. */
static bool parse_ago(const char *text, int64_t *us)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    char *end;
    if (text[0] < '0' || text[0] > '9')
        return false;
    int64_t number = strtoll(text, &end, 10);
    if (number > AGO_MAX)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].text) != 0)
            continue;
        *us = ((int64_t)time(NULL) - number * units[i].seconds) * US_PER_S;
        return true;
    }
    return false;
}

/* Digits after a point; further ones than those of a us are left out. */
static const char *parse_fraction(const char *at, int64_t *us)
{
    int64_t digit_us = US_PER_S / 10;
    *us = 0;
    if (*at != '.')
        return at;
    for (at++; *at >= '0' && *at <= '9'; at++, digit_us /= 10)
        *us += (*at - '0') * digit_us;
    return at;
}

static bool parse_zone(const char *at, int64_t *seconds)
{
    int hours;
    int minutes;
    int length = 0;
    *seconds = 0;
    if (*at == '\0' || strcmp(at, "Z") == 0)
        return true;
    if ((*at != '+' && *at != '-') || sscanf(at + 1, "%2d:%2d%n", &hours, &minutes, &length) != 2)
        return false;
    *seconds = (hours * 3600 + minutes * 60) * (*at == '-' ? -1 : 1);
    return at[1 + length] == '\0';
}

static bool is_sane(const struct tm *date)
{
    return date->tm_mon >= 1 && date->tm_mon <= 12 && date->tm_mday >= 1 && date->tm_mday <= 31 &&
           date->tm_hour >= 0 && date->tm_hour <= 24 && date->tm_min >= 0 && date->tm_min <= 59 &&
           date->tm_sec >= 0 && date->tm_sec <= 60;
}

static bool parse_date(const char *text, int64_t *us)
{
    struct tm date = {0};
    int length = 0;
    int more = 0;
    int64_t fraction_us = 0;
    int64_t zone_s;
    if (sscanf(text, "%4d-%2d-%2d%n", &date.tm_year, &date.tm_mon, &date.tm_mday, &length) != 3)
        return false;
    const char *at = text + length;
    if (*at == 'T' || *at == 't' || *at == ' ') {
        if (sscanf(at + 1, "%2d:%2d%n", &date.tm_hour, &date.tm_min, &more) != 2)
            return false;
        at += 1 + more;
        if (*at == ':' && sscanf(at, ":%2d%n", &date.tm_sec, &more) == 1)
            at += more;
        at = parse_fraction(at, &fraction_us);
    }
    if (!is_sane(&date) || !parse_zone(at, &zone_s))
        return false;
    date.tm_year -= 1900;
    date.tm_mon -= 1;
    *us = ((int64_t)timegm(&date) - zone_s) * US_PER_S + fraction_us;
    return true;
}

bool lh_time_parse(const char *text, int64_t *us)
{
    return parse_ago(text, us) || parse_date(text, us);
}

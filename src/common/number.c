/* SPDX-License-Identifier: Apache-2.0 */
/* See number.h. Runs in the library's constructor, and in the command: no malloc, no stdio, no
 * locale. */
#include "common/number.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"

/* A threshold in ns is multiplied by the counter's kHz somewhere: an hour still fits 64 bits. */
#define DURATION_MAX_NS LH_NS_PER_HOUR

const char *lh_number_read(const char *text, uint64_t most, uint64_t *number)
{
    uint64_t sum = 0;
    if (!lh_is_digit(*text))
        return NULL;
    for (; lh_is_digit(*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        if (digit > most || sum > (most - digit) / 10)
            return NULL;
        sum = sum * 10 + digit;
    }
    *number = sum;
    return text;
}

/* The power of two that a letter stands for; 0: it is no unit's. */
static unsigned unit_shift(char letter)
{
    static const char letters[] = "kKmMgG";
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;
    return found != NULL ? 10 * (1 + (unsigned)(found - letters) / 2) : 0;
}

const char *lh_size_read(const char *text, uint64_t most, uint64_t *bytes)
{
    uint64_t number;
    const char *unit = lh_number_read(text, most, &number);
    if (unit == NULL)
        return NULL;
    unsigned shift = unit_shift(*unit);
    if (number > most >> shift)
        return NULL;
    *bytes = number << shift;
    if (shift == 0)
        return unit;
    return lh_starts_with(unit + 1, "iB") ? unit + 3 : unit + 1;
}

static uint64_t unit_ns(const char *unit)
{
    static const struct {
        const char *text;
        uint64_t ns;
    } units[] = {
        {"", LH_NS_PER_MS}, {"us", LH_NS_PER_US}, {"ms", LH_NS_PER_MS}, {"s", LH_NS_PER_S}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].text, unit) == 0)
            return units[i].ns;
    return 0;
}

static const char *skip_digits(const char *text)
{
    while (lh_is_digit(*text))
        text++;
    return text;
}

int lh_duration_read(const char *text, uint64_t *result_ns)
{
    const char *point = skip_digits(text);
    const char *unit = point;
    if (point == text)
        return -EINVAL;
    if (*point == '.') {
        unit = skip_digits(point + 1);
        if (unit == point + 1)
            return -EINVAL;
    }
    uint64_t scale_ns = unit_ns(unit);
    if (scale_ns == 0)
        return -EINVAL;
    uint64_t whole;
    if (lh_number_read(text, DURATION_MAX_NS / scale_ns, &whole) == NULL)
        return -ERANGE;
    uint64_t total_ns = whole * scale_ns;
    for (const char *digit = point + 1; digit < unit; digit++) {
        scale_ns /= 10;
        total_ns += (uint64_t)(*digit - '0') * scale_ns;
    }
    if (total_ns > DURATION_MAX_NS)
        return -ERANGE;
    *result_ns = total_ns;
    return 0;
}

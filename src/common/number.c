/* SPDX-License-Identifier: Apache-2.0 */
/* See number.h. Runs in the library's constructor, and in the command: no malloc, no stdio, no
 * locale. */
#include "common/number.h"

#include <stddef.h>
#include <string.h>

#include "common/text.h"

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

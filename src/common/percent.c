/* SPDX-License-Identifier: Apache-2.0 */
/* The percent signs of a URL's path. See percent.h. */
#include "common/percent.h"

#include <string.h>

/* -1: it is none. */
static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;
    if (found == NULL)
        return -1;
    int digit = (int)(found - digits);
    return digit < 16 ? digit : digit - 6;
}

/* The byte that three characters stand for; 0: they stand for themselves. */
static int byte_at(const char *at)
{
    int high = at[0] == '%' ? digit_of(at[1]) : -1;
    int low = high >= 0 ? digit_of(at[2]) : -1;
    return low >= 0 ? high * 16 + low : 0;
}

void lh_percent_decode(char *path)
{
    char *to = path;
    for (const char *from = path; *from != '\0';) {
        int byte = byte_at(from);
        *to++ = byte != 0 ? (char)byte : *from;
        from += byte != 0 ? 3 : 1;
    }
    *to = '\0';
}

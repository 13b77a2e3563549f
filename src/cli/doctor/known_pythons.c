/* SPDX-License-Identifier: Apache-2.0 */
/* The known versions of CPython. See known_pythons.h. */
#include "cli/doctor/known_pythons.h"

#include <stdio.h>

static const uint32_t known[] = {
#define PYTHON(version, ...)                  version,
#define PYTHON_BY_DEBUG_OFFSETS(version, ...) version,
#include "preload/python/offsets.def"
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

bool lh_python_is_known(uint32_t hex)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (known[i] == hex >> 16)
            return true;
    return false;
}

void lh_python_text(uint32_t hex, char *text, size_t size)
{
    text[0] = '\0';
    if ((hex & 0xffff) != 0)
        snprintf(text, size, "%u.%u.%u", hex >> 24, hex >> 16 & 0xff, hex >> 8 & 0xff);
    else if (hex != 0)
        snprintf(text, size, "%u.%u", hex >> 24, hex >> 16 & 0xff);
}

void lh_python_range(char *text, size_t size)
{
    uint32_t first = known[0];
    uint32_t last = known[0];
    for (size_t i = 1; i < KNOWN; i++) {
        first = known[i] < first ? known[i] : first;
        last = known[i] > last ? known[i] : last;
    }
    snprintf(text, size, "%u.%u to %u.%u", first >> 8, first & 0xff, last >> 8, last & 0xff);
}

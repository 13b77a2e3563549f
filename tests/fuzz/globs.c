/* SPDX-License-Identifier: Apache-2.0 */
/* A list of globs on the first line, a name on the second. */
#include "common/options.h"
#include "fuzz.h"

#define NAIVE_MAX 12 /* characters: the naive way takes exponential time */

/* The definition, as it would be written down. */
static bool matches(const char *glob, size_t length, const char *name)
{
    if (length == 0)
        return *name == '\0';
    if (*glob == '*')
        return matches(glob + 1, length - 1, name) ||
               (*name != '\0' && matches(glob, length, name + 1));
    return *name != '\0' && (*glob == '?' || *glob == *name) &&
           matches(glob + 1, length - 1, name + 1);
}

static bool one_matches(const char *globs, const char *name)
{
    for (;;) {
        size_t length = strcspn(globs, ",");
        if (matches(globs, length, name))
            return true;
        if (globs[length] == '\0')
            return false;
        globs += length + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    char *globs = take_line(&input);
    char *name = take_line(&input);
    bool match = lh_glob_list_match(globs, name);
    if (strlen(globs) <= NAIVE_MAX && strlen(name) <= NAIVE_MAX)
        MUST(match == one_matches(globs, name));
    free(globs);
    free(name);
    return 0;
}

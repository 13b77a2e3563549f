/* SPDX-License-Identifier: Apache-2.0 */
/* Globs of names. Runs anywhere: only reads its arguments. */
#include <string.h>

#include "common/options.h"

/* A mismatch after a `*` goes back to the last one and lets it take
 * one character more; earlier ones need no second try. */
bool lh_glob_match(const char *glob, size_t length, const char *text)
{
    const char *end = glob + length;
    const char *star = NULL;
    const char *retry = NULL;
    while (*text != '\0') {
        if (glob < end && *glob == '*') {
            star = glob++;
            retry = text;
        } else if (glob < end && (*glob == '?' || *glob == *text)) {
            glob++;
            text++;
        } else if (star != NULL) {
            glob = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (glob < end && *glob == '*')
        glob++;
    return glob == end;
}

bool lh_glob_list_match(const char *globs, const char *text)
{
    for (;;) {
        const char *comma = strchrnul(globs, ',');
        if (lh_glob_match(globs, (size_t)(comma - globs), text))
            return true;
        if (*comma == '\0')
            return false;
        globs = comma + 1;
    }
}

bool lh_glob_path_match(const char *globs, const char *path)
{
    while (path != NULL) {
        if (lh_glob_list_match(globs, path))
            return true;
        const char *slash = strchr(path, '/');
        path = slash != NULL ? slash + 1 : NULL;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of files in source maps. See source_path.h. */
#include "collect/stack/source_path.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/percent.h"
#include "common/text.h"

/* Takes "." and ".." out of an absolute path, in place. */
static void resolve_dots(char *path)
{
    char *to = path;
    for (const char *from = path; *from != '\0';) {
        size_t length = strcspn(from + 1, "/") + 1; /* with its slash */
        if (length == 3 && memcmp(from, "/..", 3) == 0) {
            while (to > path && *--to != '/')
                ;
        } else if (length > 1 && !(length == 2 && from[1] == '.')) {
            memmove(to, from, length);
            to += length;
        }
        from += length;
    }
    *to = '\0';
}

bool lh_source_has_scheme(const char *name)
{
    return strstr(name, "://") != NULL;
}

/* How much of a path is the directory of an installed package, with its slash; 0: it is in none. */
static size_t package_length(const char *path)
{
    static const char packages[] = "/node_modules/";
    const char *begin = NULL;
    for (const char *at = path; (at = strstr(at, packages)) != NULL; at++)
        begin = at + sizeof(packages) - 1;
    const char *end = begin != NULL ? strchr(begin, '/') : NULL;
    if (end != NULL && begin[0] == '@')
        end = strchr(end + 1, '/');
    return end != NULL ? (size_t)(end + 1 - path) : 0;
}

char *lh_source_path(const char *directory, const char *root, const char *name)
{
    static const char file_url[] = "file://";
    char path[2 * PATH_MAX];
    bool joins = name[0] != '/' && !lh_source_has_scheme(name);
    const char *slash = root[0] != '\0' && root[strlen(root) - 1] != '/' ? "/" : "";
    int length =
        snprintf(path, sizeof(path), "%s%s%s", joins ? root : "", joins ? slash : "", name);
    if (length < 0 || (size_t)length >= sizeof(path))
        return NULL;
    lh_percent_decode(path);
    const char *at = path;
    size_t within = strlen(directory);
    if (lh_starts_with(path, file_url)) {
        at += sizeof(file_url) - 1;
    } else if (lh_source_has_scheme(path)) {
        at = strstr(path, "://") + 3;
        at += strcspn(at, "/");
        at += strspn(at, "/");
        within = package_length(directory);
        if (within == 0)
            return strdup(strncmp(at, "./", 2) == 0 ? at + 2 : at);
    }
    char whole[2 * PATH_MAX];
    length =
        snprintf(whole, sizeof(whole), "%.*s%s", at[0] == '/' ? 0 : (int)within, directory, at);
    if (length < 0 || (size_t)length >= sizeof(whole))
        return NULL;
    resolve_dots(whole);
    return strdup(whole);
}

char *lh_source_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? strndup(path, (size_t)(slash + 1 - path)) : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What to type next. See hint.h. */
#include "cli/hint.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "cli/terminal.h"
#include "common/text.h"

#define FILES_MAX 3u /* more would not be short */

/* To a shell each of these is itself. */
static bool is_plain(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "/._+:@%,=-";
    return name[0] != '\0' && name[0] != '-' && name[strspn(name, plain)] == '\0';
}

static const char *from_here(const char *name, const char *cwd)
{
    size_t length = strlen(cwd);
    bool below = length > 1 && lh_starts_with(name, cwd) && name[length] == '/';
    return below ? name + length + 1 : name;
}

static size_t without(const char *name, size_t length, const char *end)
{
    size_t ending = strlen(end);
    bool has = length > ending && memcmp(name + length - ending, end, ending) == 0;
    return has ? length - ending : length;
}

/* Of "hits.jsonl.gz" how much is "hits". */
static int stem_of(const char *name)
{
    static const char *const ends[] = {".gz", ".zst", ".jsonl", ".json"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        length = without(name, length, ends[i]);
    return (int)length;
}

void lh_hint_see(FILE *to, const char *const *files, size_t count)
{
    char cwd[PATH_MAX];
    if (getcwd(cwd, sizeof(cwd)) == NULL)
        cwd[0] = '\0';
    if (lh_terminal_columns(to) == 0 || count == 0 || count > FILES_MAX)
        return;
    for (size_t i = 0; i < count; i++)
        if (!is_plain(files[i]))
            return;
    fputs("see it: loophound export -f html", to);
    for (size_t i = 0; i < count; i++)
        fprintf(to, " %s", from_here(files[i], cwd));
    const char *first = from_here(files[0], cwd);
    fprintf(to, " -o %.*s.html\n", stem_of(first), first);
}

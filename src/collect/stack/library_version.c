/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of libraries. See library_version.h. */
#include "collect/stack/library_version.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/sys/other_user.h"

#define TEXT_BYTES 65536 /* most that is read of a file */

static void put(char version[LH_VERSION_BYTES], const char *text, size_t length)
{
    if (length > 0 && length < LH_VERSION_BYTES) {
        memcpy(version, text, length);
        version[length] = '\0';
    }
}

/* Where `path` goes on behind the last `part`, or NULL. */
static const char *behind(const char *path, const char *part)
{
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, part)) != NULL; at++)
        found = at + strlen(part);
    return found;
}

/* Of regular files only: opening a device may do something. Returns the length; 0: nothing. */
static size_t read_text(const char *path, char text[TEXT_BYTES])
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, TEXT_BYTES - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0 ? (size_t)length : 0;
}

/* As in PyPA's "Names and normalization": case, and - _ . are the same. */
static bool is_same_name(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool separators =
            strchr("-_.", a[i]) != NULL && b[i] != '\0' && strchr("-_.", b[i]) != NULL;
        if (!separators && tolower((unsigned char)a[i]) != tolower((unsigned char)b[i]))
            return false;
    }
    return b[length] == '\0';
}

/* Is it a line of top_level.txt, the names to import of a distribution (setuptools)? */
static bool is_top_level(const char *directory, const char *entry, const char *name)
{
    char path[PATH_MAX];
    char text[TEXT_BYTES];
    size_t length = strlen(name);
    int size = snprintf(path, sizeof(path), "%s/%s/top_level.txt", directory, entry);
    if (size < 0 || (size_t)size >= sizeof(path) || read_text(path, text) == 0)
        return false;
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line != '\0')
        if (strcspn(line, "\r\n") == length && strncmp(line, name, length) == 0)
            return true;
    return false;
}

/* A directory NAME-VERSION.dist-info: its name's length, and the version's. */
static bool is_info(const char *entry, size_t *name_length, size_t *version_length)
{
    static const char *const ends[] = {".dist-info", ".egg-info"};
    size_t length = strlen(entry);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        size_t end = strlen(ends[i]);
        const char *dash = strchr(entry, '-');
        if (length <= end || strcmp(entry + length - end, ends[i]) != 0 || dash == NULL ||
            dash > entry + length - end)
            continue;
        *name_length = (size_t)(dash - entry);
        *version_length = (size_t)(entry + length - end - dash - 1);
        if (end == strlen(".egg-info")) /* NAME-VERSION-py3.11.egg-info */
            *version_length =
                strcspn(dash + 1, "-") < *version_length ? strcspn(dash + 1, "-") : *version_length;
        return true;
    }
    return false;
}

static void put_distribution(const char *directory, const char *name, bool by_top_level,
                             char version[LH_VERSION_BYTES])
{
    const struct dirent *entry;
    size_t name_length;
    size_t version_length;
    DIR *entries = opendir(directory);
    while (entries != NULL && version[0] == '\0' && (entry = readdir(entries)) != NULL)
        if (is_info(entry->d_name, &name_length, &version_length) &&
            (by_top_level ? is_top_level(directory, entry->d_name, name)
                          : is_same_name(entry->d_name, name, name_length)))
            put(version, entry->d_name + name_length + 1, version_length);
    if (entries != NULL)
        closedir(entries);
}

/* Of "/opt/venv/lib/python3.12/site-packages/requests/api.py" what is installed there. */
static bool put_installed(const char *path, const char *name, char version[LH_VERSION_BYTES])
{
    char directory[PATH_MAX];
    const char *end = behind(path, "/site-packages/");
    if (end == NULL)
        end = behind(path, "/dist-packages/");
    if (end == NULL || (size_t)(end - path) >= sizeof(directory))
        return false;
    memcpy(directory, path, (size_t)(end - path));
    directory[end - path - 1] = '\0';
    put_distribution(directory, name, false, version);
    if (version[0] == '\0')
        put_distribution(directory, name, true, version);
    return true;
}

/* "3.12" of "/usr/lib/python3.12/asyncio/events.py". */
static void put_standard(const char *path, char version[LH_VERSION_BYTES])
{
    const char *at = behind(path, "/lib/python");
    if (at == NULL)
        at = behind(path, "/lib64/python");
    if (at != NULL && at[strspn(at, "0123456789.")] == '/')
        put(version, at, strspn(at, "0123456789."));
}

/* "1.40.0" of ".../registry/src/index-1/tokio-1.40.0/src/runtime/park.rs". */
static bool put_crate(const char *path, char version[LH_VERSION_BYTES])
{
    const char *index = behind(path, "/registry/src/");
    const char *crate = index != NULL ? strchr(index, '/') : NULL;
    if (crate == NULL)
        return false;
    size_t length = strcspn(crate + 1, "/");
    for (const char *at = crate + 1; at < crate + 1 + length; at++)
        if (at[0] == '-' && isdigit((unsigned char)at[1])) {
            put(version, at + 1, (size_t)(crate + 1 + length - at - 1));
            return true;
        }
    return true;
}

/* What package.json says, beside the last node_modules. */
static void put_node_package(const char *path, const char *name, char version[LH_VERSION_BYTES])
{
    char file[PATH_MAX];
    char text[TEXT_BYTES];
    const char *end = behind(path, "/node_modules/");
    if (end == NULL)
        return;
    int size = snprintf(file, sizeof(file), "%.*s%s/package.json", (int)(end - path), path, name);
    if (size < 0 || (size_t)size >= sizeof(file))
        return;
    json_t *package = json_loadb(text, read_text(file, text), 0, NULL);
    const char *said = json_string_value(json_object_get(package, "version"));
    if (said != NULL)
        put(version, said, strlen(said));
    json_decref(package);
}

void lh_library_version(enum lh_lang lang, const char *path, const char *name,
                        char version[LH_VERSION_BYTES])
{
    version[0] = '\0';
    if (lh_is_other_user())
        return;
    if (lang == LH_LANG_JIT)
        put_node_package(path, name, version);
    else if (!put_crate(path, version) && !put_installed(path, name, version))
        put_standard(path, version);
}

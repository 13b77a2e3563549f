/* SPDX-License-Identifier: Apache-2.0 */
/* The source maps of a program's scripts: see source_maps.h. Runs on the threads of the rings.
 *
 * Names and contents come from the program: only regular files of bounded size are opened, nothing
 * is fetched from anywhere else, and what the program could not read is not read for it. */
#include "collect/stack/source_maps.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/stack/source_map.h"
#include "collect/sys/other_user.h"
#include "common/percent.h"
#include "common/text.h"

#define FILE_BYTES_MAX (32u << 20) /* of a script, or its map */
#define SCRIPTS_KEPT   64u
#define BYTES_KEPT     (32u << 20) /* of what the maps were read from */
#define SOURCES_MAX    1024u       /* files of one map whose names are kept */

struct script {
    struct script *next;
    char *name;
    struct lh_source_map *map; /* NULL: it has none that could be followed */
    char *directory;           /* of the map, with its slash */
    char **sources;            /* paths that frames have */
    size_t source_count;
    size_t bytes; /* that the map was read from */
    bool is_broken;
    bool is_told;
};

struct lh_source_maps {
    struct script *scripts; /* the last one first */
    size_t count;
    size_t bytes;
};

struct lh_source_maps *lh_source_maps_new(void)
{
    return calloc(1, sizeof(struct lh_source_maps));
}

static void free_script(struct script *script)
{
    for (size_t i = 0; i < script->source_count; i++)
        free(script->sources[i]);
    free(script->sources);
    lh_source_map_free(script->map);
    free(script->directory);
    free(script->name);
    free(script);
}

void lh_source_maps_give_up(struct lh_source_maps *maps)
{
    while (maps->scripts != NULL) {
        struct script *script = maps->scripts;
        maps->scripts = script->next;
        free_script(script);
    }
    maps->count = 0;
    maps->bytes = 0;
}

void lh_source_maps_let_go(struct lh_source_maps *maps)
{
    if (maps->count > SCRIPTS_KEPT || maps->bytes > BYTES_KEPT)
        lh_source_maps_give_up(maps);
}

void lh_source_maps_free(struct lh_source_maps *maps)
{
    if (maps == NULL)
        return;
    lh_source_maps_give_up(maps);
    free(maps);
}

/* ---- files ---- */

/* What of a file is there now, with a 0 behind it. Asks for the type before it opens: opening a
 * device may already do something. */
static char *read_open(int fd, size_t *length)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
        status.st_size > FILE_BYTES_MAX)
        return NULL;
    char *bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL)
        return NULL;
    ssize_t count = read(fd, bytes, (size_t)status.st_size);
    *length = count > 0 ? (size_t)count : 0;
    bytes[*length] = '\0';
    return bytes;
}

static char *read_file(const char *path, size_t *length)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *bytes = read_open(fd, length);
    close(fd);
    return bytes;
}

/* ---- paths ---- */

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

static bool has_scheme(const char *name)
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

/* `name`, a URL, as a path seen from `directory`. A bundler's own scheme
 * ("webpack://app/./src/x.ts") tells a path from where it was started, which is where its output
 * most often lies below: it is left relative. That of an installed package was started in the
 * package's own directory. NULL: out of memory. */
static char *path_of(const char *directory, const char *root, const char *name)
{
    static const char file_url[] = "file://";
    char path[2 * PATH_MAX];
    bool joins = name[0] != '/' && !has_scheme(name);
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
    } else if (has_scheme(path)) {
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

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? strndup(path, (size_t)(slash + 1 - path)) : NULL;
}

/* ---- finding a map ---- */

/* RFC 4648; its padding ends it. Returns the number of bytes in `to`, where there is room for three
 * for each four characters. */
static size_t decode_base64(const char *text, char *to)
{
    size_t length = 0;
    uint32_t bits = 0;
    unsigned count = 0;
    for (int digit; (digit = lh_base64_digit(*text)) >= 0; text++) {
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            to[length++] = (char)(bits >> count & 0xff);
        }
    }
    return length;
}

static void parse(struct script *script, const char *json, size_t length)
{
    script->map = lh_source_map_parse(json, length);
    script->is_broken = script->map == NULL;
    script->bytes = script->map != NULL ? length : 0;
}

static void take_inline(struct script *script, const char *url)
{
    static const char base64[] = ";base64,";
    const char *data = strstr(url, base64);
    if (data == NULL)
        return;
    data += sizeof(base64) - 1;
    char *json = malloc(strlen(data) / 4 * 3 + 3);
    if (json == NULL)
        return;
    parse(script, json, decode_base64(data, json));
    free(json);
    script->directory = directory_of(script->name);
}

static void take_file(struct script *script, const char *url)
{
    char *beside = directory_of(script->name);
    char *path = beside != NULL && !has_scheme(url) ? path_of(beside, "", url) : NULL;
    size_t length;
    char *json = path != NULL ? read_file(path, &length) : NULL;
    if (json != NULL) {
        parse(script, json, length);
        script->directory = directory_of(path);
    }
    free(json);
    free(path);
    free(beside);
}

/* What follows the last "//# sourceMappingURL=", in its line. NULL: there is none. */
static char *find_url(char *bytes, size_t length)
{
    static const char mark[] = "//# sourceMappingURL=";
    char *found = NULL;
    char *end = bytes + length;
    for (char *at = bytes; (at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1)) != NULL;) {
        at += sizeof(mark) - 1;
        found = at;
    }
    if (found != NULL)
        found[strcspn(found, " \t\r\n")] = '\0';
    return found;
}

static void load(struct script *script)
{
    size_t length;
    char *bytes = script->name[0] == '/' ? read_file(script->name, &length) : NULL;
    char *url = bytes != NULL ? find_url(bytes, length) : NULL;
    if (url != NULL && lh_starts_with(url, "data:"))
        take_inline(script, url);
    else if (url != NULL)
        take_file(script, url);
    free(bytes);
}

static struct script *find(struct lh_source_maps *maps, const char *name)
{
    for (struct script *script = maps->scripts; script != NULL; script = script->next)
        if (strcmp(script->name, name) == 0)
            return script;
    struct script *script = calloc(1, sizeof(*script));
    if (script == NULL || (script->name = strdup(name)) == NULL) {
        free(script);
        return NULL;
    }
    load(script);
    script->next = maps->scripts;
    maps->scripts = script;
    maps->count++;
    maps->bytes += script->bytes;
    return script;
}

static const char *kept(const struct script *script, const char *path)
{
    for (size_t i = 0; i < script->source_count; i++)
        if (strcmp(script->sources[i], path) == 0)
            return script->sources[i];
    return NULL;
}

/* The same string for the same path, which becomes the script's. */
static const char *keep(struct script *script, char *path)
{
    const char *before = kept(script, path);
    char **sources = NULL;
    if (before == NULL && script->source_count < SOURCES_MAX)
        sources = reallocarray(script->sources, script->source_count + 1, sizeof(*sources));
    if (sources == NULL) {
        free(path);
        return before;
    }
    script->sources = sources;
    script->sources[script->source_count++] = path;
    return path;
}

void lh_source_maps_apply(struct lh_source_maps *maps, struct lh_frame *frame)
{
    struct lh_source_place place;
    if (frame->file == NULL || frame->line == 0 || lh_is_other_user())
        return;
    struct script *script = find(maps, frame->file);
    if (script == NULL || script->map == NULL || script->directory == NULL ||
        !lh_source_map_find(script->map, frame->line, frame->column != 0 ? frame->column : 1,
                            &place))
        return;
    char *path = path_of(script->directory, place.root, place.source);
    const char *file = path != NULL ? keep(script, path) : NULL;
    if (file == NULL)
        return;
    frame->generated_file = frame->file;
    frame->generated_line = frame->line;
    frame->file = file;
    frame->line = place.line;
    frame->column = place.column;
}

const char *lh_source_maps_broken(struct lh_source_maps *maps)
{
    for (struct script *script = maps->scripts; script != NULL; script = script->next) {
        if (!script->is_broken || script->is_told)
            continue;
        script->is_told = true;
        return script->name;
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Source lines. Runs on the threads of the rings.
 *
 * File names come from the program: only regular files of bounded size are opened. */
#include "collect/sink/source.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/sink/text_parts.h"
#include "collect/sys/other_user.h"

#define CACHED_FILES 16
#define BYTES_MAX    (2 << 20) /* of a file */
#define ALL_BYTES    (8u << 20)
#define LINE_WIDTH   100
#define BEFORE       30u /* bytes of a longer line that are given in front of the column */

static const char dots[] = "..."; /* for what is left out of a line */

struct file {
    char *name;
    char *bytes; /* NULL: not readable */
    size_t length;
};

struct lh_source {
    const char *cwd;
    struct file files[CACHED_FILES];
    unsigned next; /* the one that is replaced next */
    size_t bytes;
};

struct lh_source *lh_source_new(const char *cwd)
{
    struct lh_source *source = calloc(1, sizeof(*source));
    if (source != NULL)
        source->cwd = cwd;
    return source;
}

static void forget(struct lh_source *source, struct file *file)
{
    source->bytes -= file->length;
    free(file->name);
    free(file->bytes);
    *file = (struct file){0};
}

void lh_source_free(struct lh_source *source)
{
    if (source == NULL)
        return;
    lh_source_give_up(source);
    free(source);
}

void lh_source_give_up(struct lh_source *source)
{
    for (unsigned i = 0; i < CACHED_FILES; i++)
        forget(source, &source->files[i]);
}

static void read_whole(struct file *file, int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
        status.st_size > BYTES_MAX)
        return;
    file->bytes = malloc((size_t)status.st_size);
    if (file->bytes == NULL)
        return;
    ssize_t length = read(fd, file->bytes, (size_t)status.st_size);
    file->length = length > 0 ? (size_t)length : 0;
}

/* Asks for the type before it opens: opening a device may already do something. */
static void load(struct file *file, const char *cwd)
{
    char path[PATH_MAX];
    struct stat status;
    const char *directory = file->name[0] == '/' ? "" : cwd;
    int length = snprintf(path, sizeof(path), "%s%s%s", directory, *directory != '\0' ? "/" : "",
                          file->name);
    if (length < 0 || (size_t)length >= sizeof(path))
        return;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    read_whole(file, fd);
    close(fd);
}

static struct file *find(struct lh_source *source, const char *name)
{
    for (unsigned i = 0; i < CACHED_FILES; i++)
        if (source->files[i].name != NULL && strcmp(source->files[i].name, name) == 0)
            return &source->files[i];
    struct file *file = &source->files[source->next++ % CACHED_FILES];
    forget(source, file);
    file->name = strdup(name);
    if (file->name == NULL)
        return NULL;
    load(file, source->cwd);
    source->bytes += file->length;
    for (unsigned i = source->next; source->bytes > ALL_BYTES; i++) /* the oldest first */
        forget(source, &source->files[i % CACHED_FILES]);
    return file;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

static const char *start_of_line(const struct file *file, uint32_t line)
{
    const char *at = file->bytes;
    const char *end = file->bytes + file->length;
    for (; line > 1; line--) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL)
            return NULL;
        at++;
    }
    return at;
}

static bool is_inside_character(char byte)
{
    return (byte & 0xc0) == 0x80;
}

static void add_shortened(struct lh_text *text, const char *bytes, size_t length, size_t width)
{
    if (length <= width) {
        lh_text_clean(text, bytes, length);
        return;
    }
    length = width - (sizeof(dots) - 1);
    while (length > 0 && is_inside_character(bytes[length]))
        length--;
    lh_text_clean(text, bytes, length);
    lh_text_string(text, dots);
}

/* What tools make is one long line: a little in front of `column`, in UTF-16 units from 1 on. */
static const char *near_column(const char *line, const char *stop, uint32_t column)
{
    const char *at = line;
    for (uint32_t units = 1; at < stop && units < column;) {
        units += (unsigned char)*at >= 0xf0 ? 2 : 1;
        do
            at++;
        while (at < stop && is_inside_character(*at));
    }
    at -= (size_t)(at - line) < BEFORE ? (size_t)(at - line) : BEFORE;
    while (at < stop && is_inside_character(*at))
        at++;
    return at;
}

void lh_source_line(struct lh_source *source, const char *file_name, uint32_t line, uint32_t column,
                    struct lh_text *text)
{
    if (file_name[0] == '<' || line == 0 || lh_is_other_user())
        return;
    const struct file *file = find(source, file_name);
    if (file == NULL || file->bytes == NULL)
        return;
    const char *at = start_of_line(file, line);
    const char *end = file->bytes + file->length;
    if (at == NULL)
        return;
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    const char *stop = newline != NULL ? newline : end;
    const char *near = near_column(at, stop, column);
    size_t width = LINE_WIDTH;
    while (at < stop && is_space(*at))
        at++;
    while (stop > at && is_space(stop[-1]))
        stop--;
    if (column > LINE_WIDTH && near > at && near < stop) {
        at = near;
        lh_text_string(text, dots);
        width -= sizeof(dots) - 1;
    }
    add_shortened(text, at, (size_t)(stop - at), width);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of formats, and the file that one is written to. See export.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/export/formats.h"
#include "common/output_rules.h"
#include "common/text.h"

const struct lh_export_format lh_export_formats[] = {
#define FORMAT(name, extension, binary, doc) {#name, extension, doc, binary, lh_export_##name},
#include "cli/export/formats.def"
    {NULL, NULL, NULL, false, NULL},
};

const struct lh_export_format *lh_export_format_find(const char *name)
{
    for (const struct lh_export_format *row = lh_export_formats; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* A file in the making. */
struct making {
    char path[PATH_MAX];        /* of what it replaces: no link */
    char beside[PATH_MAX + 16]; /* its name until then; "": it is written to as it is */
    FILE *to;
};

/* A link is followed where nobody else can have made it. Returns 0 or a negative errno. */
static int resolve(const char *output, struct making *making, struct stat *old, bool *exists)
{
    struct stat directory;
    char parent[PATH_MAX];
    size_t length = (size_t)(lh_base_name(output) - output);
    if (strlen(output) >= sizeof(making->path))
        return -ENAMETOOLONG;
    memcpy(parent, output, length);
    (void)snprintf(parent + length, sizeof(parent) - length, "%s", length == 0 ? "." : "");
    if (stat(parent, &directory) != 0)
        return -errno;
    bool shared = lh_output_is_shared(&directory, geteuid());
    *exists = lstat(output, old) == 0;
    if (*exists && S_ISLNK(old->st_mode)) {
        if (shared)
            return -ELOOP;
        *exists = stat(output, old) == 0;
        if (realpath(output, making->path) != NULL)
            return *exists ? lh_output_refusal(old, shared, geteuid()) : 0;
        return -errno;
    }
    (void)snprintf(making->path, sizeof(making->path), "%s", output);
    return *exists ? lh_output_refusal(old, shared, geteuid()) : 0;
}

/* What is no file (a FIFO, /dev/null) is written to; a file stays until the new one is whole. */
static int open_making(const char *output, struct making *making)
{
    struct stat old;
    bool exists = false;
    making->beside[0] = '\0';
    int error = resolve(output, making, &old, &exists);
    if (error != 0)
        return error;
    if (exists && S_ISDIR(old.st_mode))
        return -EISDIR;
    if (exists && !S_ISREG(old.st_mode)) {
        making->to = fopen(making->path, "we");
        return making->to != NULL ? 0 : -errno;
    }
    const char *base = lh_base_name(making->path);
    (void)snprintf(making->beside, sizeof(making->beside), "%.*s.%.200s.XXXXXX",
                   (int)(base - making->path), making->path, base);
    int fd = mkostemp(making->beside, O_CLOEXEC);
    if (fd >= 0 && exists)
        (void)fchmod(fd, old.st_mode & 0777); /* as it was */
    making->to = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (making->to != NULL)
        return 0;
    error = -errno;
    if (fd >= 0) {
        close(fd);
        unlink(making->beside);
    }
    return error;
}

/* Both what a writer said and what its stream knows. */
static int finish(FILE *to, int error)
{
    if (error == 0 && (fflush(to) != 0 || ferror(to) != 0))
        error = errno != 0 ? -errno : -EIO;
    return error;
}

static int write_file(const struct lh_export_format *format, const struct lh_export_model *model,
                      const char *output)
{
    struct making making;
    int error = open_making(output, &making);
    if (error != 0)
        return error;
    error = finish(making.to, format->write(model, making.to));
    if (fclose(making.to) != 0 && error == 0)
        error = -errno;
    if (making.beside[0] == '\0')
        return error;
    if (error == 0 && rename(making.beside, making.path) != 0)
        error = -errno;
    if (error != 0)
        unlink(making.beside);
    return error;
}

int lh_export_write(const struct lh_export_format *format, const struct lh_export_model *model,
                    const char *output)
{
    int error = output != NULL ? write_file(format, model, output)
                               : finish(stdout, format->write(model, stdout));
    if (error == 0)
        return 0;
    const char *refusal = lh_output_refusal_text(error);
    fprintf(stderr, "loophound: cannot write to %s: %s\n",
            output != NULL ? output : "standard output",
            refusal != NULL ? refusal : strerror(-error));
    return LH_EXIT_FAILED;
}

int lh_export(const struct lh_export_format *format, const struct lh_export_options *options,
              const char *const *files, size_t count, const char *output)
{
    int status = 0;
    struct lh_export_model *model = lh_export_model_read(options, files, count, &status);
    if (model == NULL) {
        fputs("loophound: out of memory; nothing written\n", stderr);
        return LH_EXIT_FAILED;
    }
    int failed = lh_export_write(format, model, output);
    lh_export_model_free(model);
    return failed != 0 ? failed : status;
}

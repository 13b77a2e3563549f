/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Lines that the reports of a run are made from. See run_report.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/run_report.h"
#include "common/text.h"

#define TRIES_MAX 4

/* What was in the file of -o before this run is no part of its reports. */
static bool is_fresh_json(const struct lh_options *options)
{
    struct stat status;
    return lh_options_format(options) == LH_FORMAT_JSON && options->output_kind == LH_OUTPUT_PATH &&
           strchr(options->output, '%') == NULL && stat(options->output, &status) == 0 &&
           S_ISREG(status.st_mode) && status.st_size == 0;
}

/* Without a name: whatever ends this process, nothing is left. Every file system has one that is
 * taken away again at once; not all have O_TMPFILE. */
static int open_nameless(const char *directory)
{
    char path[PATH_MAX];
    if (directory == NULL || directory[0] != '/')
        return -ENOENT;
    if ((size_t)snprintf(path, sizeof(path), "%s/loophound-kept-XXXXXX", directory) >= sizeof(path))
        return -ENAMETOOLONG;
    int fd = mkostemp(path, O_APPEND | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    unlink(path);
    return fd;
}

int lh_run_keep(struct lh_run_kept *kept, const struct lh_options *options)
{
    const char *const directories[TRIES_MAX] = {getenv("TMPDIR"), "/tmp", "/var/tmp", "/dev/shm"};
    int fd = -ENOENT;
    kept->fd = -1;
    if (is_fresh_json(options) && lh_text_copy(kept->name, sizeof(kept->name), options->output))
        return 0;
    for (int i = 0; fd < 0 && i < TRIES_MAX; i++)
        fd = open_nameless(directories[i]);
    if (fd < 0)
        return fd;
    kept->fd = fd;
    (void)snprintf(kept->name, sizeof(kept->name), "/proc/self/fd/%d", fd);
    return 0;
}

void lh_run_keep_end(const struct lh_run_kept *kept)
{
    if (kept->fd >= 0)
        close(kept->fd);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Can the output be written to? Asked before the command starts: a mistake in its name would cost
 * the whole run's reports. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/run.h"
#include "collect/sink/output_open.h"
#include "common/output_rules.h"
#include "common/text.h"

/* Of a name that is made of what only the processes know, the directory. */
static int check_directory(char *path)
{
    size_t length = (size_t)(lh_base_name(path) - path);
    path[length] = '\0';
    if (strchr(path, '%') != NULL)
        return 0;
    return access(length == 0 ? "." : path, W_OK | X_OK) == 0 ? 0 : -errno;
}

/* A FIFO's reader may come later. */
static int check_file(const struct lh_output_target *target)
{
    struct lh_output_file file;
    int error = lh_output_open(&file, target);
    if (error == 0 && file.owned)
        close(file.fd);
    return error == -ENXIO ? 0 : error;
}

int lh_run_check_output(const struct lh_options *options)
{
    struct lh_output_target target = {.kind = LH_OUTPUT_PATH};
    if (options->output_kind != LH_OUTPUT_PATH ||
        !lh_text_copy(target.path, sizeof(target.path), options->output))
        return 0;
    int error =
        strchr(target.path, '%') != NULL ? check_directory(target.path) : check_file(&target);
    if (error == 0)
        return 0;
    const char *refusal = lh_output_refusal_text(error);
    fprintf(stderr, "loophound: cannot write to %s: %s; nothing started\n", options->output,
            refusal != NULL ? refusal : strerror(-error));
    return error;
}

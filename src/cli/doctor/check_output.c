/* SPDX-License-Identifier: Apache-2.0 */
/* Can the reports be written where they go? Nothing is made or opened: a FIFO's reader, a terminal
 * and a file that is not there yet stay as they are. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "common/options.h"
#include "common/output_rules.h"
#include "common/text.h"

#define ROOM_LEAST (64u << 20) /* bytes that are left on the disk */

static void say_refused(const char *path, const char *why, struct lh_findings *findings)
{
    lh_find_blind(findings, "reports cannot be written to %s: %s", path, why);
    lh_find_todo(findings, "loophound run -o FILE, with a FILE that can be written");
}

/* A file that is there already. */
static bool may_write(const char *path, const struct stat *directory, struct lh_findings *findings)
{
    struct stat status;
    bool shared = lh_output_is_shared(directory, geteuid());
    if (lstat(path, &status) != 0)
        return true;
    int error = shared && S_ISLNK(status.st_mode) ? -ELOOP : 0;
    if (error == 0 && stat(path, &status) == 0)
        error = lh_output_refusal(&status, shared, geteuid());
    if (error == 0 && access(path, W_OK) != 0)
        error = -errno;
    if (error == 0)
        return true;
    const char *refusal = lh_output_refusal_text(error);
    say_refused(path, refusal != NULL ? refusal : strerror(-error), findings);
    return false;
}

static void check_room(const char *path, const char *directory, struct lh_findings *findings)
{
    struct statvfs disk;
    uint64_t left = UINT64_MAX;
    if (statvfs(directory, &disk) == 0)
        left = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (left >= ROOM_LEAST) {
        lh_find(findings, LH_OK, "reports go to %s", path);
        return;
    }
    lh_find(findings, LH_WARN, "reports go to %s, where %" PRIu64 " MiB are left", path,
            left >> 20);
    lh_find_todo(findings, "make room, or -o FILE on another disk");
}

static void check_path(const char *path, struct lh_findings *findings)
{
    char directory[sizeof(((struct lh_options *)NULL)->output)];
    struct stat status;
    (void)lh_text_copy(directory, sizeof(directory), path);
    directory[lh_base_name(directory) - directory] = '\0';
    if (directory[0] == '\0')
        (void)lh_text_copy(directory, sizeof(directory), ".");
    if (strchr(directory, '%') != NULL) {
        lh_find(findings, LH_OK, "reports go to %s, as each process fills it in", path);
        return;
    }
    if (stat(directory, &status) != 0) {
        say_refused(path, strerror(errno), findings);
        return;
    }
    bool named = strchr(path, '%') != NULL;
    if (!named && access(path, F_OK) == 0) {
        if (may_write(path, &status, findings))
            check_room(path, directory, findings);
        return;
    }
    if (!named && !may_write(path, &status, findings))
        return;
    if (access(directory, W_OK | X_OK) != 0)
        say_refused(path, strerror(errno), findings);
    else
        check_room(path, directory, findings);
}

static void check_socket(const char *path, struct lh_findings *findings)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISSOCK(status.st_mode)) {
        lh_find(findings, LH_OK, "reports go to the socket %s", path);
        return;
    }
    lh_find(findings, LH_WARN, "reports go to the socket %s, where there is none yet", path);
    lh_find_todo(findings, "start whoever listens there first");
}

void lh_check_output(const struct lh_subject *subject, struct lh_findings *findings)
{
    struct lh_options options;
    const char *expected;
    const char *value = lh_subject_variable(subject, lh_option_info(LH_OPTION_OUTPUT)->env);
    lh_options_init(&options);
    if (value != NULL)
        (void)lh_option_set(&options, LH_OPTION_OUTPUT, value, &expected);
    if (options.output_kind == LH_OUTPUT_PATH) {
        check_path(options.output, findings);
    } else if (options.output_kind == LH_OUTPUT_UNIX) {
        check_socket(options.output, findings);
    } else if (options.output_kind == LH_OUTPUT_FD && subject->pid == 0 &&
               fcntl(options.output_fd, F_GETFD) < 0) {
        lh_find_blind(findings, "reports go to descriptor %d, which is not open",
                      (int)options.output_fd);
        lh_find_todo(findings, "open it: COMMAND %d>FILE", (int)options.output_fd);
    } else if (options.output_kind == LH_OUTPUT_STDERR) {
        lh_find(findings, LH_OK, "reports go to standard error");
    }
}

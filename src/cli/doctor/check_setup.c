/* SPDX-License-Identifier: Apache-2.0 */
/* What is our own: the library, the collector, a directory for the socket; and the options. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/locate.h"
#include "common/options.h"
#include "common/paths.h"
#include "common/protocol.h"
#include "common/ring.h"
#include "common/text.h"
#include "common/version.h"

#define LIBRARY_BYTES_MAX (16u << 20)
#define PREFIX            "LOOPHOUND_"

/* Does the library make rings that this command reads? Its code has the number of their kind. */
static bool is_our_version(const char *path)
{
    const uint64_t magic = LH_RING_MAGIC;
    FILE *file = fopen(path, "re");
    char *bytes = malloc(LIBRARY_BYTES_MAX);
    size_t length = file != NULL && bytes != NULL ? fread(bytes, 1, LIBRARY_BYTES_MAX, file) : 0;
    bool found = length > 0 && memmem(bytes, length, &magic, sizeof(magic)) != NULL;
    free(bytes);
    if (file != NULL)
        (void)fclose(file);
    return found;
}

/* As the library looks for it: beside itself, in ../bin, and where an installation puts it. */
static bool find_collector(const char *library, char *path, size_t size)
{
    const char *const below[] = {"", "../bin/"};
    int length = (int)(lh_base_name(library) - library);
    for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
        snprintf(path, size, "%.*s%sloophound", length, library, below[i]);
        if (access(path, X_OK) == 0)
            return true;
    }
    snprintf(path, size, "%s/loophound", lh_path_bindir);
    return access(path, X_OK) == 0;
}

static void check_given_collector(const struct lh_subject *subject, struct lh_findings *findings)
{
    struct lh_options options;
    const char *expected;
    const char *value = lh_subject_variable(subject, lh_option_info(LH_OPTION_COLLECTOR)->env);
    lh_options_init(&options);
    if (value == NULL || lh_option_set(&options, LH_OPTION_COLLECTOR, value, &expected) != 0)
        return;
    if (options.collector_mode == LH_COLLECTOR_PATH && access(options.collector, X_OK) != 0) {
        lh_find(findings, LH_WARN,
                "LOOPHOUND_COLLECTOR names %s: %s; with a bare LD_PRELOAD raw "
                "JSON lines are written",
                options.collector, strerror(errno));
        lh_find_todo(findings, "unset LOOPHOUND_COLLECTOR");
    }
}

void lh_check_library(const struct lh_subject *subject, struct lh_findings *findings)
{
    char library[PATH_MAX];
    char collector[PATH_MAX + 16];
    char buf[LH_FINDING_BYTES];
    struct lh_text why;
    lh_text_init(&why, buf, sizeof(buf));
    if (lh_locate_library_quietly(library, sizeof(library), &why) != 0) {
        lh_find_blind(findings, "%s", buf);
        lh_find_todo(findings, "install loophound again: make install, or pip install loophound");
        return;
    }
    if (!is_our_version(library)) {
        lh_find_blind(findings, "%s is of another version than this command, " LH_VERSION, library);
        lh_find_todo(findings, "install both from one place");
    } else if (!find_collector(library, collector, sizeof(collector))) {
        lh_find(findings, LH_WARN,
                "%s has no loophound beside it: with a bare LD_PRELOAD raw JSON "
                "lines are written",
                library);
        lh_find_todo(findings, "use loophound run, or LOOPHOUND_COLLECTOR=/path/loophound");
    } else if (subject->command == NULL) {
        lh_find(findings, LH_OK, "loophound " LH_VERSION ": the library is %s", library);
    }
    check_given_collector(subject, findings);
}

static bool is_option(const char *name, size_t length)
{
    for (int option = 0; option < LH_OPTION_COUNT; option++) {
        const char *env = lh_option_info((enum lh_option)option)->env;
        if (strlen(env) == length && strncmp(env, name, length) == 0)
            return true;
    }
    return strncmp(name, LH_ENV_SOCKET, length) == 0 || strncmp(name, LH_ENV_ROOT, length) == 0;
}

static void check_name(const char *variable, struct lh_findings *findings)
{
    size_t length = strcspn(variable, "=");
    if (!lh_starts_with(variable, PREFIX) || is_option(variable, length))
        return;
    lh_find(findings, LH_WARN, "%.*s is no option: nobody reads it", (int)length, variable);
    lh_find_todo(findings, "see the names: loophound help run");
}

static void check_names(const struct lh_subject *subject, struct lh_findings *findings)
{
    if (subject->pid == 0)
        for (char **variable = environ; *variable != NULL; variable++)
            check_name(*variable, findings);
    for (size_t at = 0; at < subject->environment_bytes;
         at += strlen(subject->environment + at) + 1)
        check_name(subject->environment + at, findings);
}

void lh_check_options(const struct lh_subject *subject, struct lh_findings *findings)
{
    struct lh_options options;
    const char *expected;
    lh_options_init(&options);
    for (int option = 0; option < LH_OPTION_COUNT; option++) {
        const struct lh_option_info *info = lh_option_info((enum lh_option)option);
        const char *value = lh_subject_variable(subject, info->env);
        if (value == NULL || lh_option_set(&options, (enum lh_option)option, value, &expected) == 0)
            continue;
        lh_find(findings, LH_WARN, "%s=%s: expected %s; %s is used", info->env, value, expected,
                info->fallback);
        lh_find_todo(findings, "%s=%s", info->env, info->fallback);
    }
    check_names(subject, findings);
}

void lh_check_directory(const struct lh_subject *subject, struct lh_findings *findings)
{
    struct lh_private_dir directory;
    (void)subject;
    int error = lh_private_dir_make(&directory);
    if (error == 0) {
        lh_private_dir_remove(&directory);
        return;
    }
    lh_find_blind(findings,
                  "there is no directory for the socket of loophound run "
                  "(XDG_RUNTIME_DIR, TMPDIR, /tmp, /dev/shm, /var/tmp, HOME): %s",
                  strerror(-error));
    lh_find_todo(findings, "TMPDIR=/a/directory/that/can/be/written/to");
}

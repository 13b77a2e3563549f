/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound run puts into the environment of its command. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/run.h"
#include "collect/sink/text_parts.h"
#include "common/protocol.h"

/* Is the library already the first one? Then this is a loophound run inside another. */
static bool is_first(const char *preload, const char *library)
{
    size_t length = strlen(library);
    return strncmp(preload, library, length) == 0 && strchr(": ", preload[length]) != NULL;
}

static int set_preload(const char *library)
{
    const char *before = getenv("LD_PRELOAD");
    char *both;
    if (before == NULL || before[0] == '\0')
        return setenv("LD_PRELOAD", library, 1) != 0 ? -errno : 0;
    if (is_first(before, library))
        return 0;
    if (asprintf(&both, "%s:%s", library, before) < 0)
        return -ENOMEM;
    int error = setenv("LD_PRELOAD", both, 1) != 0 ? -errno : 0;
    free(both);
    return error;
}

/* ASan's own library refuses to start where another one was loaded before it, unless it is told
 * not to look (compiler-rt, asan_flags.inc). Ours may be: it defines nothing of the allocator's. */
static int let_asan_start(void)
{
    static const char option[] = "verify_asan_link_order";
    const char *before = getenv("ASAN_OPTIONS");
    char *both;
    if (before == NULL || before[0] == '\0')
        return setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1) != 0 ? -errno : 0;
    if (strstr(before, option) != NULL)
        return 0;
    if (asprintf(&both, "%s:%s=0", before, option) < 0)
        return -ENOMEM;
    int error = setenv("ASAN_OPTIONS", both, 1) != 0 ? -errno : 0;
    free(both);
    return error;
}

/* Says what is wrong with a variable, and takes it away: each process of the command would say it
 * again. */
static void drop_variable(const struct lh_option_info *info, const char *value,
                          const char *expected)
{
    char line[LH_OPTION_PROBLEM_BYTES];
    char now[64];
    snprintf(now, sizeof(now), "using %s", info->fallback);
    lh_option_problem(line, sizeof(line), info->env, value, expected, now);
    fputs(line, stderr);
    unsetenv(info->env);
}

static int set_option(struct lh_options *options, enum lh_option option, const char *given)
{
    const struct lh_option_info *info = lh_option_info(option);
    const char *value = given != NULL ? given : getenv(info->env);
    const char *expected;
    if (value == NULL)
        return 0;
    if (lh_option_set(options, option, value, &expected) != 0) {
        drop_variable(info, value, expected);
        return 0;
    }
    return given != NULL && setenv(info->env, given, 1) != 0 ? -errno : 0;
}

/* The command may change its directory and then execute: a relative output means where we are now.
 * Where the absolute path would be too long the relative one stays. */
static int set_absolute_output(struct lh_options *options)
{
    const char *env = lh_option_info(LH_OPTION_OUTPUT)->env;
    const char *prefix = options->output_kind == LH_OUTPUT_UNIX ? "unix:" : "";
    bool has_path =
        options->output_kind == LH_OUTPUT_PATH || options->output_kind == LH_OUTPUT_UNIX;
    char cwd[PATH_MAX];
    char *absolute;
    const char *expected;
    if (!has_path || options->output[0] == '/' || getcwd(cwd, sizeof(cwd)) == NULL)
        return 0;
    if (asprintf(&absolute, "%s%s/%s", prefix, cwd, options->output) < 0)
        return -ENOMEM;
    int error = 0;
    if (lh_option_set(options, LH_OPTION_OUTPUT, absolute, &expected) == 0)
        error = setenv(env, absolute, 1) != 0 ? -errno : 0;
    free(absolute);
    return error;
}

/* Likewise the files of rules. Where the list would be too long it stays as it is. */
static int set_absolute_rules(struct lh_options *options)
{
    const char *env = lh_option_info(LH_OPTION_SUPPRESS)->env;
    char cwd[PATH_MAX];
    char list[sizeof(options->suppress)];
    struct lh_text text;
    const char *paths = options->suppress;
    if (paths[0] == '\0' || getcwd(cwd, sizeof(cwd)) == NULL)
        return 0;
    lh_text_init(&text, list, sizeof(list));
    for (size_t length; *paths != '\0'; paths += length + (paths[length] == ':')) {
        length = strcspn(paths, ":");
        lh_text_format(&text, "%s%s%s%.*s", text.length > 0 ? ":" : "", paths[0] != '/' ? cwd : "",
                       paths[0] != '/' ? "/" : "", (int)length, paths);
    }
    if (text.length + 1 >= sizeof(list))
        return 0;
    return setenv(env, list, 1) != 0 ? -errno : 0;
}

int lh_run_environment(const struct lh_run_flags *flags, const char *library, const char *socket,
                       struct lh_options *options)
{
    lh_options_init(options);
    for (int option = 0; option < LH_OPTION_COUNT; option++) {
        int error = set_option(options, (enum lh_option)option, flags->given[option]);
        if (error != 0)
            return error;
    }
    int error = set_absolute_output(options);
    if (error == 0)
        error = set_absolute_rules(options);
    if (error != 0)
        return error;
    if (setenv(LH_ENV_SOCKET, socket, 1) != 0)
        return -errno;
    if (library == NULL)
        return 0;
    error = let_asan_start();
    return error != 0 ? error : set_preload(library);
}

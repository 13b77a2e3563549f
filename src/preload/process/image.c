/* SPDX-License-Identifier: Apache-2.0 */
/* What this process image is, and its options: from the environment, /proc and the dynamic linker.
 * Runs on the program's threads, once, in our set-up: the one place where the library uses libc
 * freely. */
#include "preload/process/image.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/paths.h"
#include "common/protocol.h"
#include "common/text.h"
#include "preload/state/image.h"
#include "preload/state/state.h"
#include "preload/state/tags.h"
#include "preload/sys/libc.h"
#include "preload/sys/proc.h"
#include "preload/sys/symbols.h"
#include "preload/sys/syscall.h"

static void say(const char *text, size_t length)
{
    lh_syscall3(SYS_write, STDERR_FILENO, (long)text, (long)length);
}

static void read_options(void)
{
    lh_options_init(&lh_options);
    for (enum lh_option option = 0; option < LH_OPTION_COUNT; option++) {
        const struct lh_option_info *info = lh_option_info(option);
        const char *value = getenv(info->env);
        const char *expected;
        if (value == NULL || lh_option_set(&lh_options, option, value, &expected) == 0)
            continue;
        char now[64];
        char line[LH_OPTION_PROBLEM_BYTES];
        struct lh_text text;
        lh_text_init(&text, now, sizeof(now));
        lh_text_string(&text, "using ");
        lh_text_string(&text, info->fallback);
        say(line, lh_option_problem(line, sizeof(line), info->env, value, expected, now));
    }
}

/* OpenTelemetry's name for it (its specification, "General SDK Configuration"). */
static void find_service(void)
{
    const char *name = getenv("OTEL_SERVICE_NAME");
    if (lh_options.service[0] == '\0' && name != NULL)
        (void)lh_text_copy(lh_options.service, sizeof(lh_options.service), name);
}

/* pytest's name for the test that runs, in the processes that it starts (its documentation, "How to
 * get information about the test that is running"). */
static void find_test(void)
{
    const char *test = getenv("PYTEST_CURRENT_TEST");
    if (test != NULL)
        lh_tag_test(test);
}

/* dir + below, if there is such an executable. */
static bool try_collector(const char *dir, const char *below)
{
    struct lh_text text;
    lh_text_init(&text, lh_image.collector, sizeof(lh_image.collector));
    lh_text_string(&text, dir);
    lh_text_string(&text, below);
    if (access(lh_image.collector, X_OK) == 0)
        return true;
    lh_image.collector[0] = '\0';
    return false;
}

/* Beside the library, or where an installation puts it. */
static void find_collector(void)
{
    char dir[1024];
    if (lh_options.collector_mode == LH_COLLECTOR_NONE)
        return;
    if (lh_options.collector_mode == LH_COLLECTOR_PATH) {
        lh_text_copy(lh_image.collector, sizeof(lh_image.collector), lh_options.collector);
        return;
    }
    if (lh_object_path((uintptr_t)&lh_image, dir, sizeof(dir)) != 0)
        return;
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!try_collector(dir, "/loophound") && !try_collector(dir, "/../bin/loophound"))
        try_collector(lh_path_bindir, "/loophound");
}

static void read_image(void)
{
    ssize_t length = readlink("/proc/self/exe", lh_image.exe, sizeof(lh_image.exe) - 1);
    lh_image.exe[length > 0 ? length : 0] = '\0';
    if (getcwd(lh_image.cwd, sizeof(lh_image.cwd)) == NULL)
        lh_image.cwd[0] = '\0';
    long argv_length =
        lh_proc_read_file("/proc/self/cmdline", lh_image.argv, sizeof(lh_image.argv));
    lh_image.argv_length = argv_length > 0 ? (uint32_t)argv_length : 0;
    lh_image.pid = (uint32_t)getpid();
    const char *socket = getenv(LH_ENV_SOCKET);
    if (socket != NULL)
        lh_text_copy(lh_image.run_socket, sizeof(lh_image.run_socket), socket);
}

/* Is this the first process that carries the library? Only asked when descendants are to be told
 * from it, so that the mark in the environment is not set otherwise. */
static bool is_root(void)
{
    char digits[16];
    struct lh_text text;
    lh_text_init(&text, digits, sizeof(digits));
    lh_text_u64(&text, lh_image.pid);
    const char *mark = getenv(LH_ENV_ROOT);
    if (mark == NULL)
        return setenv(LH_ENV_ROOT, digits, 0) == 0;
    return strcmp(mark, digits) == 0;
}

static bool is_told_from_descendants(void)
{
    return lh_options.follow_mode != LH_FOLLOW_ON || lh_options.loop_mode == LH_LOOP_MAIN ||
           lh_options.loop_mode == LH_LOOP_GLOBS;
}

static bool is_followed(void)
{
    const char *slash = strrchr(lh_image.exe, '/');
    if (lh_options.follow_mode == LH_FOLLOW_ON || lh_image.is_root)
        return true;
    return lh_options.follow_mode == LH_FOLLOW_GLOB &&
           (lh_glob_list_match(lh_options.follow_glob, lh_image.exe) ||
            (slash != NULL && lh_glob_list_match(lh_options.follow_glob, slash + 1)));
}

/* ThreadSanitizer and Valgrind know only threads that pthread_create made. */
static bool is_instrumented(void)
{
    const char *preload = getenv("LD_PRELOAD");
    struct lh_symbol tsan;
    return lh_symbol_find(LH_SYMBOL_ANYWHERE, "__tsan_init", NULL, &tsan) == 0 ||
           (preload != NULL && strstr(preload, "/vgpreload_") != NULL);
}

static void switch_off_if_instrumented(void)
{
    static _Atomic uint32_t said;
    if (!is_instrumented())
        return;
    lh_image.off = true;
    lh_say_once(&said,
                "loophound: this process runs under ThreadSanitizer or Valgrind, which do not "
                "bear its watchdog thread; not watched\n");
}

void lh_image_init(void)
{
    read_options();
    find_service();
    find_test();
    read_image();
    find_collector();
    lh_image.is_root = is_told_from_descendants() && is_root();
    lh_image.off =
        !lh_libc_is_known() || !is_followed() || strcmp(lh_image.exe, lh_image.collector) == 0;
    if (!lh_image.off)
        switch_off_if_instrumented();
    lh_python_marks_project(lh_options.project);
    void *state = mmap(NULL, sizeof(struct lh_process), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (state == MAP_FAILED || madvise(state, sizeof(struct lh_process), MADV_WIPEONFORK) != 0) {
        lh_image.off = true;
        return;
    }
    /* Who sees it sees the options and the image, too: other constructors' threads may ask. */
    __atomic_store_n(&lh_process, state, __ATOMIC_RELEASE);
}

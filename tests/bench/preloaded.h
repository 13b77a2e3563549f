/* SPDX-License-Identifier: Apache-2.0 */
/* A benchmark that runs itself again with the library of its build in front. */
#ifndef LH_TESTS_BENCH_PRELOADED_H
#define LH_TESTS_BENCH_PRELOADED_H

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Becomes this program once more, with these arguments; reports go nowhere. Returns only where that
 * fails, or where the library was asked for and did not come: then what is wrong has been said. */
static inline int run_with_library(char **argv)
{
    char path[4096];
    char library[4096 + 32];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    /* build/bench/PROGRAM: the library is in build. */
    snprintf(library, sizeof(library), "%s/libloophound.so", dirname(dirname(path)));
    const char *preloaded = getenv("LD_PRELOAD");
    if (access(library, R_OK) != 0 || (preloaded != NULL && strcmp(preloaded, library) == 0)) {
        fprintf(stderr, "%s: %s cannot be loaded\n", argv[0], library);
        return 1;
    }
    setenv("LD_PRELOAD", library, 1);
    setenv("LOOPHOUND_OUTPUT", "/dev/null", 1);
    execv("/proc/self/exe", argv);
    perror("execv");
    return 1;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Runtimes of languages whose functions are not those of machine code: the table src/runtimes.def,
 * as data. Any thread. */
#ifndef LH_COLLECT_STACK_RUNTIMES_H
#define LH_COLLECT_STACK_RUNTIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lh_runtime {
    const char *name;
    const char *modules;
    const char *version;  /* NULL: paths have none */
    const char *function; /* NULL: any */
    const char *sentence;
};

enum {
#define RUNTIME(name, ...) +1
    LH_RUNTIMES = 0
#include "runtimes.def"
};

extern const struct lh_runtime lh_runtimes[LH_RUNTIMES];

/* Is the file at `path` the program or the library of it? */
bool lh_runtime_has(const struct lh_runtime *runtime, const char *path);

/* Its version, where the path of such a file has it. False: it has none, or that does not fit. */
bool lh_runtime_version(const struct lh_runtime *runtime, const char *path, char *version,
                        size_t size);

#endif

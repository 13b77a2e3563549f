/* SPDX-License-Identifier: Apache-2.0 */
/* Names of files in source maps. Any thread of the collector; touches nothing but its arguments. */
#ifndef LH_COLLECT_STACK_SOURCE_PATH_H
#define LH_COLLECT_STACK_SOURCE_PATH_H

#include <stdbool.h>

/* Is it a URL, of whatever kind? */
bool lh_source_has_scheme(const char *name);

/* `name`, a URL, with `root` before it, as a path seen from `directory`, which ends in a slash. A
 * bundler's own scheme ("webpack://app/./src/x.ts") tells a path from where it was started, which
 * is where its output most often lies below: it is left relative. That of an installed package was
 * started in the package's own directory. For the caller to free; NULL: it is too long, or there is
 * no memory. */
char *lh_source_path(const char *directory, const char *root, const char *name);

/* Of a path, with its slash, for the caller to free. NULL: it has none, or as above. */
char *lh_source_directory(const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* dlopen(3) looks at its caller, and a wrapper on whose behalf it is called would be that caller.
 * Runs on loop threads, before dlopen; takes the loader's own lock, as dlopen does. */
#ifndef LH_PRELOAD_WRAP_DLOPEN_H
#define LH_PRELOAD_WRAP_DLOPEN_H

#include <stdbool.h>

/* Does dlopen(path) do the same whoever calls it? The caller's own library path (DT_RPATH,
 * DT_RUNPATH) is searched for a name without a slash, its place stands for $ORIGIN, and its
 * DT_RPATH is searched for what the new library needs (ld.so(8)); the program's own always is. */
bool lh_dlopen_is_the_same_for_all(const char *path);

#endif

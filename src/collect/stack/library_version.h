/* SPDX-License-Identifier: Apache-2.0 */
/* The version of an installed library. Any thread of the collector. */
#ifndef LH_COLLECT_STACK_LIBRARY_VERSION_H
#define LH_COLLECT_STACK_LIBRARY_VERSION_H

#include "common/event.h"

#define LH_VERSION_BYTES 32

/* The version of library `name`, a file of which is `path`: as its directory is called (crates of
 * cargo, Python's own library), or as its installer left it there (Python's *.dist-info, a
 * package.json of Node's). "": not known. */
void lh_library_version(enum lh_lang lang, const char *path, const char *name,
                        char version[LH_VERSION_BYTES]);

#endif

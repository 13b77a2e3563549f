/* SPDX-License-Identifier: Apache-2.0 */
/* A file of the program's, whole: a script, or its source map. Any thread of the collector. */
#ifndef LH_COLLECT_STACK_WHOLE_FILE_H
#define LH_COLLECT_STACK_WHOLE_FILE_H

#include <stddef.h>

#define LH_WHOLE_FILE_MAX (32u << 20) /* bytes */

/* Its bytes, for the caller to free, with a 0 behind them, and how many these are. With the rights
 * of the calling thread. NULL: it is no regular file, empty, too large, or cannot be read. */
char *lh_whole_file(const char *path, size_t *length);

#endif

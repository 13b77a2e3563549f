/* SPDX-License-Identifier: Apache-2.0 */
/* Which library a frame belongs to, and its version, as the names of its files and what its
 * installer left beside them tell. Used by the thread of one ring. */
#ifndef LH_COLLECT_STACK_LIBRARY_H
#define LH_COLLECT_STACK_LIBRARY_H

#include <stdint.h>

#include "common/event.h"

struct lh_libraries;

struct lh_libraries *lh_libraries_new(void); /* NULL: out of memory */
void lh_libraries_free(struct lh_libraries *libraries);

/* Sets `library` and `version` of each frame that is a library's; NULL where it is not known. The
 * strings live as long as the libraries do. */
void lh_libraries_name(struct lh_libraries *libraries, struct lh_frame *frames, uint32_t count);

#endif

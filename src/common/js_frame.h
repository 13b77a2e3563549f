/* SPDX-License-Identifier: Apache-2.0 */
/* From a record's frame of JavaScript to one that is reported. */
#ifndef LH_COMMON_JS_FRAME_H
#define LH_COMMON_JS_FRAME_H

#include "common/event.h"

/* `strings` are those of its record. A file that is told by its URL has its path; a function
 * without a name is said to have none. Any thread. */
struct lh_frame lh_js_frame_of(const struct lh_js_frame *js, const char *strings);

#endif

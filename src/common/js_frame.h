/* SPDX-License-Identifier: Apache-2.0 */
/* From a record's frame of JavaScript to one that is reported. */
#ifndef LH_COMMON_JS_FRAME_H
#define LH_COMMON_JS_FRAME_H

#include "common/event.h"

/* `strings` are those of its record. The URL of a file becomes its path in there; a function
 * without a name is said to have none. Any thread. */
struct lh_frame lh_js_frame_of(const struct lh_js_frame *js, char *strings);

#endif

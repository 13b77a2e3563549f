/* SPDX-License-Identifier: Apache-2.0 */
/* By what the text of a script is known again: its length, and what stands at one place. Anywhere.
 */
#ifndef LH_COMMON_JS_CHECK_H
#define LH_COMMON_JS_CHECK_H

#include <stdint.h>

#include "common/fnv.h"

#define LH_JS_CHECKED 32u /* characters from that place on, or as many as there are */

/* Of `count` UTF-16 units. */
static inline uint32_t lh_js_check(const uint16_t *units, uint32_t count)
{
    return (uint32_t)lh_fnv(LH_FNV_START, units, count * sizeof(*units));
}

#endif

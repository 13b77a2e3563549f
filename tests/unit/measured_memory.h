/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that measure how much memory they have: a sanitizer keeps what was freed, so they are
 * skipped there. */
#ifndef LH_TESTS_UNIT_MEASURED_MEMORY_H
#define LH_TESTS_UNIT_MEASURED_MEMORY_H

#include <stdbool.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LH_MEMORY_IS_KEPT
#endif
#endif

static inline bool memory_is_kept(void)
{
#ifdef LH_MEMORY_IS_KEPT
    return true;
#else
    return false;
#endif
}

#endif

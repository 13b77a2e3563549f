/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler is told beyond C: branches that are hardly ever taken, names that stay inside
 * the library. GCC and clang, "Common Function Attributes". */
#ifndef LH_PRELOAD_SYS_COMPILER_H
#define LH_PRELOAD_SYS_COMPILER_H

#define LH_LIKELY(x)   __builtin_expect(!!(x), 1)
#define LH_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LH_HIDDEN      __attribute__((visibility("hidden")))

#endif

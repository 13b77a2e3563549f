/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory this process has. Any thread of the collector. */
#ifndef LH_COLLECT_SYS_MEMORY_H
#define LH_COLLECT_SYS_MEMORY_H

#include <stdint.h>

/* In bytes what it has to itself: no files that are mapped, no memory that is shared (proc(5),
 * statm). 0: not known. */
uint64_t lh_memory_own(void);

#endif

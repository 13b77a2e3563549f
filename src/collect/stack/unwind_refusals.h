/* SPDX-License-Identifier: Apache-2.0 */
/* What libunwind may ask of a process, and does not get: stacks are read, nothing is changed. */
#ifndef LH_COLLECT_STACK_UNWIND_REFUSALS_H
#define LH_COLLECT_STACK_UNWIND_REFUSALS_H

#include <libunwind.h>

/* All but `find_proc_info`, `access_mem` and `access_reg`, which unwind_access.c sets. */
extern const unw_accessors_t lh_unwind_refusals;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a thread waits for in Python's terms, and who has it, does it, or ends. See interpreter.h
 * for who may call what. */
#ifndef LH_PRELOAD_PYTHON_AWAITED_H
#define LH_PRELOAD_PYTHON_AWAITED_H

#include "preload/python/waiter.h"

/* The thread stands still while it waits: the caller asks before and after whether it does. */
void lh_python_awaited_find(const struct lh_python_layout *layout, lh_memory_read *read,
                            const struct lh_python_waiter *waiter,
                            struct lh_python_awaited *awaited);

#endif

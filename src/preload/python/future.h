/* SPDX-License-Identifier: Apache-2.0 */
/* Who is to set the result of a concurrent.futures.Future. See interpreter.h for who may call what.
 */
#ifndef LH_PRELOAD_PYTHON_FUTURE_H
#define LH_PRELOAD_PYTHON_FUTURE_H

#include "preload/python/waiter.h"

/* Fills in the owner of the future awaited->object: the thread of a pool that runs it, or the one
 * whose asyncio loop is to run the coroutine that was given to asyncio.run_coroutine_threadsafe().
 */
void lh_python_future_find(const struct lh_python_walk *walk, const struct lh_python_waiter *waiter,
                           struct lh_python_awaited *awaited);

#endif

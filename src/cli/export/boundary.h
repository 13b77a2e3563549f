/* SPDX-License-Identifier: Apache-2.0 */
/* Where an event loop calls what the program has given it: the root of flame views. Any thread;
 * looks at names only. */
#ifndef LH_CLI_EXPORT_BOUNDARY_H
#define LH_CLI_EXPORT_BOUNDARY_H

#include <stdbool.h>

#include "common/event.h"

/* Is this frame the loop's? */
bool lh_is_boundary(const struct lh_frame *frame);

/* Is it loophound's own, or what asyncio's C does between its loop and a coroutine? */
bool lh_is_own_frame(const struct lh_frame *frame);

#endif

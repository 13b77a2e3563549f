/* SPDX-License-Identifier: Apache-2.0 */
/* What Node.js called a function back for. Any thread of the collector. */
#ifndef LH_COLLECT_STACK_NODE_CALLBACK_H
#define LH_COLLECT_STACK_NODE_CALLBACK_H

#include <stdint.h>

#include "common/event.h"

/* By src/node_callbacks.def: the kind, "timer", and in *callback the name of the outermost function
 * that is not Node's own; NULL: it has none. NULL: it is not known. The names are the table's, and
 * the frames'. */
const char *lh_node_callback_of(const struct lh_frame *frames, uint32_t count,
                                const char **callback);

#endif

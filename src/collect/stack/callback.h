/* SPDX-License-Identifier: Apache-2.0 */
/* The plain function that an event loop of Python's has called: no task runs there. Any thread of
 * the collector. */
#ifndef LH_COLLECT_STACK_CALLBACK_H
#define LH_COLLECT_STACK_CALLBACK_H

#include <stdint.h>

#include "common/event.h"

/* Its name, as Python has it in frames; NULL: there is none, or it is not certain. The name is the
 * frames'. */
const char *lh_callback_of(const struct lh_python_task *task, const struct lh_frame *frames,
                           uint32_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Python frames of a thread that goes on while they are read. Runs on the watchdog only. */
#ifndef LH_PRELOAD_WATCHDOG_PYTHON_TWICE_H
#define LH_PRELOAD_WATCHDOG_PYTHON_TWICE_H

#include <stdbool.h>

#include "common/record.h"

/* Reads the frames of the thread with this PyThreadState once more. Where they are not those of the
 * record, it has none afterwards: false. */
bool lh_python_confirm(uintptr_t thread_state, struct lh_record *record);

#endif

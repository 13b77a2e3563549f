/* SPDX-License-Identifier: Apache-2.0 */
/* JavaScript frames of a thread that goes on while they are read. Runs on the watchdog only. */
#ifndef LH_PRELOAD_WATCHDOG_JS_TWICE_H
#define LH_PRELOAD_WATCHDOG_JS_TWICE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"

/* Reads the frames of the thread with this isolate once more. Where they are not those of the
 * record, it has none afterwards: false. Of a thread that is in JavaScript itself, and not in what
 * that has called, there are none: only its registers say where it is. */
bool lh_js_confirm(uintptr_t isolate, struct lh_record *record);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Is this program one in Go? Runs on the watchdog. */
#ifndef LH_PRELOAD_WATCHDOG_GO_H
#define LH_PRELOAD_WATCHDOG_GO_H

#include <stdbool.h>

/* By what Go's linker writes into each: debug/buildinfo of Go's library. Looks once in a process.
 */
bool lh_is_go(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Does a collector that was started hang before it takes the ring? Runs on the watchdog. */
#ifndef LH_PRELOAD_READER_HANG_H
#define LH_PRELOAD_READER_HANG_H

#include <stdbool.h>
#include <stdint.h>

/* This process has just been started as the collector. 0: its number is not known. */
void lh_hang_begin(uint32_t pid);

/* Has it slept, and been given no processor, since an earlier look that is long enough ago? One
 * that is only slow (a busy machine, a slow disk) has not: it runs, wants to, or waits for the
 * disk. `closing`: the program waits for it to end, and cannot for long. proc_pid_stat(5). */
bool lh_hang_seen(bool closing);

/* Has it ended? For where no descriptor says so. */
bool lh_hang_is_gone(void);

#endif

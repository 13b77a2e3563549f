/* SPDX-License-Identifier: Apache-2.0 */
/* Is a collector that was started of no use? Runs on the watchdog. proc_pid_stat(5). */
#ifndef LH_PRELOAD_READER_HANG_H
#define LH_PRELOAD_READER_HANG_H

#include <stdbool.h>
#include <stdint.h>

/* This process has just been started as the collector. 0: its number is not known, or there is
 * none. */
void lh_hang_begin(uint32_t pid);

/* Before it has taken the ring. Has it slept, and been given no processor, since an earlier look
 * that is long enough ago; or run for far longer than one needs? One that is only slow (a busy
 * machine, a slow disk) has not: it wants to run, or waits for the disk. `closing`: the program
 * waits for it to end, and cannot for long. Returns what it does, or NULL. */
const char *lh_hang_seen(bool closing);

/* After it has. `read` is how much it has read, `waits` whether there is more. The same, with the
 * patience that the reading of large symbol files and slow outputs want. */
const char *lh_hang_reading(uint64_t read, bool waits);

/* Has it ended? For where no descriptor says so. */
bool lh_hang_is_gone(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* How long the process's cgroup had no processor because of its limit (cpu.max, cpu.cfs_quota_us):
 * throttling. Documentation/admin-guide/cgroup-v2.rst, Documentation/scheduler/sched-bwc.rst.
 *
 * Which limits there are is looked for by the watchdog, every few seconds at most; where there is
 * none, nothing is read any more. Raw system calls only. */
#ifndef LH_PRELOAD_STATE_THROTTLE_H
#define LH_PRELOAD_STATE_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LH_THROTTLE_LIMITS 4u
#define LH_THROTTLE_PATH   256u

/* The limits that hold for the process: its cgroup's and those above it. */
struct lh_throttle {
    bool known; /* false: its cgroup cannot be read */
    uint32_t count;
    char paths[LH_THROTTLE_LIMITS][LH_THROTTLE_PATH]; /* of their cpu.stat */
};

/* Looks for them below `root`, where cgroups are mounted. `membership` is /proc/PID/cgroup, which
 * is cut up (cgroups(7)). */
void lh_throttle_find(struct lh_throttle *throttle, const char *root, char *membership);

/* The throttled time, in ns, that these limits have caused so far, of all processors; LH_UNKNOWN:
 * not to be had. Any thread. */
uint64_t lh_throttle_read(const struct lh_throttle *throttle);

/* Runs on the watchdog: when it starts, and once for each round of looks at busy loops. */
void lh_throttle_init(void);
void lh_throttle_tick(void);

/* What lh_throttle_read() said for this process at the watchdog's latest look (any thread), and at
 * the one before (on the watchdog). */
uint64_t lh_throttle_latest_ns(void);
uint64_t lh_throttle_before_ns(void);

/* What it says now. Any thread. */
uint64_t lh_throttle_now_ns(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* See hang.h. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include "preload/reader/hang.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "common/units.h"
#include "preload/sys/clock.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"

#define PATIENCE_NS         (1 * LH_NS_PER_S)
#define PATIENCE_CLOSING_NS (100 * LH_NS_PER_MS)

static struct {
    uint32_t pid;
    uint64_t slices;  /* how often it had been given a processor … */
    int64_t since_ns; /* … when it was first seen asleep with so many; 0: not yet */
} started;

void lh_hang_begin(uint32_t pid)
{
    started.pid = pid;
    started.since_ns = 0;
}

/* Or it is stopped. */
static bool is_asleep(char state)
{
    return state == 'S' || state == 'T' || state == 't';
}

bool lh_hang_seen(bool closing)
{
    uint64_t slices;
    int64_t now = lh_clock_ns(CLOCK_MONOTONIC);
    if (started.pid == 0 || !is_asleep(lh_proc_process(started.pid, &slices))) {
        started.since_ns = 0;
        return false;
    }
    if (started.since_ns == 0 || slices != started.slices) {
        started.since_ns = now;
        started.slices = slices;
        return false;
    }
    return now - started.since_ns >= (closing ? PATIENCE_CLOSING_NS : PATIENCE_NS);
}

bool lh_hang_is_gone(void)
{
    return started.pid != 0 && lh_syscall3(SYS_tgkill, started.pid, started.pid, 0) == -ESRCH;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See hang.h. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include "preload/reader/hang.h"

#include <errno.h>
#include <stddef.h>

#include "common/units.h"
#include "preload/sys/clock.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"

/* How long it may sleep, and, in 1/100 s, run. */
struct patience {
    int64_t asleep_ns;
    uint64_t ticks;
};

static const struct patience to_start = {1 * LH_NS_PER_S, 200};
/* Below the 190 ms that a program's end waits, with time to write raw lines: a slow machine's
 * collector runs for 100 ms before it reads. */
static const struct patience to_start_closing = {100 * LH_NS_PER_MS, 15};
static const struct patience to_read = {30 * LH_NS_PER_S, 1000};

/* One that waits, for a record that nobody will finish, runs for less than 10 ms in so long. */
#define IDLE_NS         (LH_NS_PER_S / 5)
#define READING_LOOK_NS (1 * LH_NS_PER_S) /* before it is asked about */

static struct {
    uint32_t pid;
    uint64_t slices;   /* how often it had been given a processor … */
    int64_t asleep_ns; /* … when it was first seen asleep with so many; 0: not yet */
    uint64_t read;
    int64_t read_ns; /* when it had read so much and there was more; 0: not yet */
    bool has_ticks;
    uint64_t ticks; /* its processor time then */
} started;

void lh_hang_begin(uint32_t pid)
{
    started.pid = pid;
    started.asleep_ns = 0;
    started.read_ns = 0;
}

/* Or it is stopped. */
static bool is_asleep(char state)
{
    return state == 'S' || state == 'T' || state == 't';
}

static bool sleeps_on(char state, uint64_t slices, int64_t most_ns)
{
    int64_t now = lh_clock_ns(CLOCK_MONOTONIC);
    if (!is_asleep(state)) {
        started.asleep_ns = 0;
        return false;
    }
    if (started.asleep_ns == 0 || slices != started.slices) {
        started.asleep_ns = now;
        started.slices = slices;
        return false;
    }
    return now - started.asleep_ns >= most_ns;
}

static const char *judge(const struct patience *patience, uint64_t ticks_before)
{
    uint64_t slices;
    uint64_t ticks;
    char state = started.pid != 0 ? lh_proc_process(started.pid, &slices, &ticks) : '?';
    if (state == '?')
        return NULL;
    if (sleeps_on(state, slices, patience->asleep_ns))
        return "it hangs";
    return ticks >= ticks_before + patience->ticks ? "it runs, and does not read" : NULL;
}

const char *lh_hang_seen(bool closing)
{
    return judge(closing ? &to_start_closing : &to_start, 0);
}

const char *lh_hang_reading(uint64_t read, bool waits)
{
    uint64_t slices;
    int64_t now = lh_clock_ns(CLOCK_MONOTONIC);
    if (started.pid == 0 || !waits || read != started.read || started.read_ns == 0) {
        started.read = read;
        started.read_ns = started.pid != 0 && waits ? now : 0;
        started.has_ticks = false;
        return NULL;
    }
    if (now - started.read_ns < READING_LOOK_NS)
        return NULL;
    if (!started.has_ticks) {
        started.asleep_ns = 0;
        started.has_ticks = lh_proc_process(started.pid, &slices, &started.ticks) != '?';
        return NULL;
    }
    return judge(&to_read, started.ticks + (uint64_t)((now - started.read_ns) / IDLE_NS));
}

bool lh_hang_is_gone(void)
{
    return started.pid != 0 && lh_syscall3(SYS_tgkill, started.pid, started.pid, 0) == -ESRCH;
}

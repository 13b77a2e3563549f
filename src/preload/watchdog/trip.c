/* SPDX-License-Identifier: Apache-2.0 */
/* Tripwires. See trip.h: raw system calls, no libc state, no malloc. */
#include "preload/watchdog/trip.h"

#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>

#include "preload/state/state.h"
#include "preload/sys/fd.h"
#include "preload/sys/syscall.h"

int lh_trip_set(uint32_t tid, uintptr_t instruction)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_BREAKPOINT,
        .size = sizeof(attributes),
        .sample_period = 1,
        .disabled = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
        .bp_type = HW_BREAKPOINT_X,
        .bp_addr = instruction,
        .bp_len = sizeof(long),
    };
    if (atomic_load(&lh_process->filtered) != 0)
        return -EPERM; /* a filter of system calls may kill for this one */
    int trip = lh_fd_lift(
        lh_syscall5(SYS_perf_event_open, (long)&attributes, tid, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (trip < 0)
        return trip;
    /* For one time: the kernel disables it then. */
    long error = lh_syscall3(SYS_ioctl, trip, PERF_EVENT_IOC_REFRESH, 1);
    if (error == 0)
        return trip;
    lh_fd_close(trip);
    return (int)error;
}

bool lh_trip_has_tripped(int trip)
{
    uint64_t times = 1;
    return lh_syscall3(SYS_read, trip, (long)&times, sizeof(times)) != sizeof(times) || times > 0;
}

void lh_trip_take(int trip)
{
    lh_fd_close(trip);
}

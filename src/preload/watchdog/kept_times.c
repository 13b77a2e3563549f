/* SPDX-License-Identifier: Apache-2.0 */
/* Times of loop threads. See kept_times.h: raw system calls, no libc state, no malloc. */
#include "preload/watchdog/kept_times.h"

#include "preload/sys/fd.h"
#include "preload/sys/proc.h"

#define KEPT_AT_MOST 256 /* each takes a few KiB of the kernel's memory */

static uint32_t kept; /* how many there are now */

void lh_kept_times_begin(void)
{
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++)
        lh_process->slots[i].kept_times = 0;
    kept = 0;
}

void lh_kept_times_end(struct lh_slot *slot)
{
    if (slot->kept_times == 0)
        return;
    lh_fd_close((int)slot->kept_times - 1);
    slot->kept_times = 0;
    kept--;
}

static void open_kept(struct lh_slot *slot, uint32_t tid)
{
    int fd = kept < KEPT_AT_MOST ? lh_fd_keep(lh_proc_open_of(tid, "schedstat")) : -1;
    if (fd < 0)
        return;
    slot->kept_times = fd + 1;
    slot->kept_tid = tid;
    kept++;
}

/* The second time, the descriptor was of a thread that is gone. */
uint64_t lh_kept_run_delay_ns(struct lh_slot *slot, uint32_t tid)
{
    for (int i = 0; i < 2; i++) {
        uint64_t delay_ns = LH_UNKNOWN;
        if (slot->kept_times != 0 && slot->kept_tid != tid)
            lh_kept_times_end(slot);
        if (slot->kept_times == 0)
            open_kept(slot, tid);
        if (slot->kept_times == 0)
            break;
        if (lh_proc_read_run_delay((int)slot->kept_times - 1, &delay_ns))
            return delay_ns;
        lh_kept_times_end(slot);
    }
    return lh_proc_run_delay_ns(tid);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is ready when a loop that was held parks again. Runs on the loop threads: raw system calls
 * only, so that errno stays; no malloc, no locks. Nothing is taken out of an epoll set: whether one
 * has anything is asked by poll(2), how much the loop's own epoll_wait(2) says. */
#include "preload/iteration/ready.h"

#include <string.h>

#include "preload/state/record.h"
#include "preload/sys/memory.h"
#include "preload/sys/poll.h"
#include "preload/sys/signals.h"

/* The collector holds the reports of this thread back until it reads this. */
static void tell(struct lh_slot *slot, uint32_t ready, bool more)
{
    const struct lh_call_copy copy = {.tid = atomic_load(&slot->tid)};
    uint64_t signals = lh_signals_block();
    struct lh_record *record = lh_record_begin(LH_EVENT_VICTIMS, &copy, 0, true);
    slot->awaits_victims = false;
    if (record != NULL) {
        record->ready = ready;
        record->ready_more = more;
        lh_record_publish(record);
    }
    lh_signals_restore(signals);
}

bool lh_ready_await(struct lh_slot *slot)
{
    if ((slot->epfd < 0 && slot->anchor.fd < 0) || atomic_load(&slot->inlined.is) != 0)
        return false;
    slot->awaits_victims = true;
    return true;
}

bool lh_ready_probe(struct lh_slot *slot, int epfd)
{
    struct pollfd set = {.fd = epfd, .events = POLLIN};
    long ready = lh_poll(&set, 1, 0);
    if (ready > 0 && set.revents == POLLIN)
        return true;
    tell(slot, ready == 0 ? 0 : LH_NOT_COUNTED, false);
    return false;
}

void lh_ready_count(struct lh_slot *slot, long returned, long most)
{
    bool known = returned >= 0 && returned <= UINT16_MAX;
    tell(slot, known ? (uint32_t)returned : LH_NOT_COUNTED, known && returned == most);
}

void lh_ready_give_up(struct lh_slot *slot)
{
    if (slot->awaits_victims)
        tell(slot, LH_NOT_COUNTED, false);
}

/* The revents that this leaves behind are what the program's own poll writes over. */
static uint32_t count_array(const struct lh_poll_wait *wait)
{
    long ready = lh_poll((struct pollfd *)wait->fds, wait->count, 0);
    return ready < 0 ? LH_NOT_COUNTED : (uint32_t)ready;
}

/* The kernel writes what is ready over the sets: these are copies. False: not readable. */
static bool copy_set(fd_set *to, const fd_set *from, uint32_t count)
{
    size_t words = (count + 63) / 64;
    memset(to, 0, sizeof(*to));
    return from == NULL || lh_memory_read_self(to, (uintptr_t)from, words * sizeof(uint64_t)) == 0;
}

/* A descriptor that is ready in two ways counts once. */
static uint32_t count_sets(const struct lh_poll_wait *wait)
{
    const fd_set *const from[3] = {wait->reads, wait->writes, wait->excepts};
    fd_set sets[3];
    uint32_t ready = 0;
    if (wait->count > FD_SETSIZE)
        return LH_NOT_COUNTED;
    for (int i = 0; i < 3; i++)
        if (!copy_set(&sets[i], from[i], wait->count))
            return LH_NOT_COUNTED;
    if (lh_select(wait->count, &sets[0], &sets[1], &sets[2]) < 0)
        return LH_NOT_COUNTED;
    for (uint32_t fd = 0; fd < wait->count; fd++)
        ready += FD_ISSET(fd, &sets[0]) || FD_ISSET(fd, &sets[1]) || FD_ISSET(fd, &sets[2]);
    return ready;
}

void lh_ready_count_wait(struct lh_slot *slot, const struct lh_poll_wait *wait)
{
    tell(slot, wait->fds != NULL ? count_array(wait) : count_sets(wait), false);
}

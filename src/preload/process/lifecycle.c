/* SPDX-License-Identifier: Apache-2.0 */
/* The start and the end of a watched process. Runs on the program's threads: raw system calls. */
#include "preload/process/lifecycle.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/protocol.h"
#include "common/text.h"
#include "preload/process/seccomp.h"
#include "preload/state/image.h"
#include "preload/state/places.h"
#include "preload/state/wake.h"
#include "preload/sys/clock.h"
#include "preload/sys/futex.h"
#include "preload/sys/syscall.h"
#include "preload/sys/threads.h"
#include "preload/watchdog/watchdog.h"

#define START_WAIT_NS  (1 * LH_NS_PER_S)
#define END_WAIT_NS    (200 * LH_NS_PER_MS)
#define READER_LOOK_NS 20000000L /* between two looks whether there still is a reader */

static bool may_watch(void)
{
    atomic_thread_fence(memory_order_acquire); /* after lh_process was seen: image.c */
    if (lh_image.off || atomic_load(&lh_process->state) == LH_PROCESS_OFF)
        return false;
    if (lh_options.follow_mode == LH_FOLLOW_OFF &&
        lh_image.pid != (uint32_t)lh_syscall0(SYS_getpid))
        return false;
    return lh_seccomp_lets_us_be();
}

bool lh_process_may_watch(void)
{
    bool may = may_watch();
    if (may)
        lh_clock_start();
    return may;
}

void lh_process_scout(void)
{
    if (lh_options.loop_mode != LH_LOOP_NONE && lh_process_may_watch())
        lh_watchdog_scout();
    else
        atomic_store(&lh_process->scouted, 1);
}

void lh_process_leave(void)
{
    lh_watchdog_stop(LH_WATCHDOG_WAIT_NS);
    atomic_store(&lh_process->state, LH_PROCESS_OFF);
    atomic_store(&lh_process->pid, 0);
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++)
        atomic_store(&lh_process->slots[i].tid, 0);
}

void lh_process_before_filter(long number, long a, long b, long c, long d, long e)
{
    if (!lh_seccomp_bears(number, a, b, c, d, e))
        lh_process_leave();
}

/* Two threads may come to their first park at the same time. */
static void wait_while_starting(void)
{
    if (atomic_load(&lh_process->state) == LH_PROCESS_STARTING)
        lh_futex_wait(&lh_process->state, LH_PROCESS_STARTING, START_WAIT_NS, false);
}

bool lh_process_start(void)
{
    uint32_t expected = LH_PROCESS_NEW;
    if (atomic_compare_exchange_strong(&lh_process->state, &expected, LH_PROCESS_STARTING)) {
        atomic_store(&lh_process->pid, (uint32_t)lh_syscall0(SYS_getpid));
        lh_thread_tid_init();
        lh_watchdog_call();
        expected = LH_PROCESS_STARTING;
        atomic_compare_exchange_strong(&lh_process->state, &expected, LH_PROCESS_WATCHED);
        lh_futex_wake(&lh_process->state, false);
    }
    wait_while_starting();
    return atomic_load(&lh_process->state) == LH_PROCESS_WATCHED;
}

void lh_process_greet(void)
{
    struct lh_hello hello = {LH_RING_MAGIC, sizeof(struct lh_ring), lh_image.pid};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (lh_image.off ||
        !lh_text_copy(address.sun_path, sizeof(address.sun_path), lh_image.run_socket))
        return;
    long fd = lh_syscall3(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (lh_syscall3(SYS_connect, fd, (long)&address, sizeof(address)) == 0)
        lh_syscall6(SYS_sendto, fd, (long)&hello, sizeof(hello), MSG_NOSIGNAL, 0, 0);
    lh_syscall1(SYS_close, fd);
}

/* Waits until *word is at least `value`, counted modulo 2^32. */
static int wait_for(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + timeout_ns;
    for (;;) {
        uint32_t now = atomic_load(word);
        int64_t left_ns = end - lh_clock_ns(CLOCK_MONOTONIC);
        if ((int32_t)(now - value) >= 0)
            return 0;
        if (left_ns <= 0)
            return -ETIMEDOUT;
        lh_futex_wait(word, now, left_ns, true);
    }
}

/* The same for a word that the reader writes. A reader may be still to come, be the watchdog
 * itself, or be gone without anybody knowing: the watchdog is called to see to that. */
static int wait_for_reader(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + timeout_ns;
    for (;;) {
        int64_t left_ns = end - lh_clock_ns(CLOCK_MONOTONIC);
        bool last = left_ns <= READER_LOOK_NS;
        lh_watchdog_call();
        int error = wait_for(word, value, last ? left_ns : READER_LOOK_NS);
        if (error == 0 || last)
            return error;
    }
}

static bool has_reader_or_events(const struct lh_ring *ring)
{
    return atomic_load(&ring->attached) != 0 || atomic_load(&lh_process->collector_wanted) != 0;
}

/* Tells the reader, there may yet be none, that the ring gets nothing more. NULL: nothing is in it.
 */
static struct lh_ring *close_ring(void)
{
    struct lh_ring *ring = lh_process != NULL ? atomic_load(&lh_process->ring) : NULL;
    if (ring == NULL || !lh_process_is_ours() || !has_reader_or_events(ring))
        return NULL;
    atomic_store(&ring->closing, 1);
    atomic_fetch_add(&ring->wake, 1);
    lh_futex_wake(&ring->wake, true);
    return ring;
}

void lh_process_end(void)
{
    lh_places_end();
    struct lh_ring *ring = close_ring();
    if (ring == NULL)
        return;
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + END_WAIT_NS;
    (void)wait_for_reader(&ring->drained, 1, END_WAIT_NS);
    lh_watchdog_stop(
        end -
        lh_clock_ns(CLOCK_MONOTONIC)); /* which passes on what the collector had to say of that */
}

void lh_process_end_at_once(void)
{
    lh_places_end();
    if (close_ring() == NULL)
        return;
    lh_watchdog_call(); /* a fork may have ended it */
    /* It finds a reader if there is none, and waits until that has the ring, not until it has read
     * it. */
    lh_watchdog_stop(END_WAIT_NS);
}

int lh_process_flush(int64_t timeout_ns)
{
    struct lh_ring *ring = lh_process != NULL ? atomic_load(&lh_process->ring) : NULL;
    if (ring == NULL || !lh_process_is_ours())
        return -ENOTCONN;
    uint32_t head = (uint32_t)atomic_load(&ring->head);
    if (atomic_load(&ring->attached) == 0)
        lh_wake_for_collector();
    return wait_for_reader(&ring->written, head, timeout_ns);
}

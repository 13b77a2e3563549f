/* The watchdog thread: its start, its end, its ticks.
 *
 * watchdog_main() and all it calls run on the watchdog: no libc call that touches thread-local
 * storage (errno, malloc, stdio, locale), raw system calls only. The rest runs on the program's
 * threads. */
#include "preload/watchdog.h"

#include <errno.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "preload/attach.h"
#include "preload/clock.h"
#include "preload/inflight.h"
#include "preload/memory.h"
#include "preload/signals.h"
#include "preload/stall.h"
#include "preload/state.h"
#include "preload/stops.h"
#include "preload/sys.h"
#include "preload/throttle.h"

#define STACK_BYTES (64 * 1024)
#define GUARD_BYTES 4096
#define TLS_BYTES   (16 * 1024)
#define TLS_BELOW   (12 * 1024) /* where the thread pointer is; libc's variables are below it */
#define TICK_MIN_NS LH_NS_PER_MS

/* For its start and its end, which take less than a millisecond unless a busy machine lets it, or
 * the collector that it is starting, wait for a processor. */
#define WAIT_NS LH_NS_PER_S

/* Mapped once, also used again by children of fork. */
static char *memory;

static void futex_wake(_Atomic uint32_t *word)
{
    lh_syscall3(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, INT_MAX);
}

/* timeout_ns < 0: for ever. */
static void futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    struct timespec timeout = {timeout_ns / LH_NS_PER_S, timeout_ns % LH_NS_PER_S};
    lh_syscall4(SYS_futex, (long)word, FUTEX_WAIT_PRIVATE, value,
                timeout_ns < 0 ? 0 : (long)&timeout);
}

static int64_t tick_ns(void)
{
    int64_t tick = (int64_t)(lh_options.threshold_ns / 4);
    return tick < TICK_MIN_NS ? TICK_MIN_NS : tick;
}

/* Marks can be relied on when a call that lasts the threshold is in flight at some tick. */
static void choose_timing(bool watchdog_runs)
{
    bool marks =
        watchdog_runs && !lh_options.strict && lh_options.threshold_ns >= 4 * (uint64_t)TICK_MIN_NS;
    atomic_store(&lh_time_all_calls, marks ? 0 : 1);
}

/* ---- on the watchdog ---- */

/* A descriptor table of our own. CLONE_FILES and then UNSHARE: none of the program's descriptors is
 * ever duplicated, so no peer of the program waits for an end of file because of us. */
static bool take_own_descriptors(void)
{
    return lh_syscall3(SYS_close_range, 0, ~0U, CLOSE_RANGE_UNSHARE) == 0;
}

/* Looks at every loop thread; true while one of them is not parked. */
static bool look_at_loops(void)
{
    bool busy = false;
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++) {
        struct lh_slot *slot = &lh_process->slots[i];
        if (atomic_load(&slot->tid) == 0 || atomic_load(&slot->parked) != 0)
            continue;
        if (!busy && lh_stall_is_on())
            lh_throttle_look();
        busy = true;
        lh_inflight_look(slot);
        lh_stall_look(slot, (uint64_t)tick_ns());
    }
    return busy;
}

/* timeout_ns < 0: until it is called. */
static void doze(uint32_t seen, int64_t timeout_ns)
{
    lh_stops_before(timeout_ns);
    if (atomic_load(&lh_process->watchdog_wake) != seen)
        lh_stops_called(); /* before the line above, in vain */
    futex_wait(&lh_process->watchdog_wake, seen, timeout_ns);
    lh_stops_after();
}

static void sleep_until_called(uint32_t seen)
{
    atomic_store(&lh_process->watchdog_call, 1);
    /* A park that ended before the store above is seen here; one after it sees the store. */
    if (!look_at_loops())
        doze(seen, -1);
    atomic_store(&lh_process->watchdog_call, 0);
}

static void announce(bool able)
{
    atomic_store(&lh_process->watchdog_ready, able ? LH_WATCHDOG_READY : LH_WATCHDOG_UNABLE);
    futex_wake(&lh_process->watchdog_ready);
}

static int watchdog_main(void *argument)
{
    (void)argument;
    lh_syscall5(SYS_prctl, PR_SET_NAME, (long)"loophound", 0, 0, 0);
    lh_stops_begin();
    bool able = take_own_descriptors() && lh_attach_make_ring();
    lh_stall_init();
    announce(able);
    while (able && atomic_load(&lh_process->watchdog_stop) == 0) {
        uint32_t seen = atomic_load(&lh_process->watchdog_wake);
        lh_attach_serve();
        if (look_at_loops())
            doze(seen, tick_ns());
        else
            sleep_until_called(seen);
    }
    if (able)
        lh_attach_serve(); /* for an exec or an end, after which nobody would */
    lh_attach_end();
    return 0;
}

/* ---- on the program's threads ---- */

static bool map_memory(void)
{
    if (memory == NULL) {
        memory = lh_memory_map(NULL, GUARD_BYTES + STACK_BYTES + TLS_BYTES,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1);
        lh_syscall3(SYS_mprotect, (long)memory, GUARD_BYTES, PROT_NONE);
    }
    return memory != NULL;
}

/* With all signals blocked: the new thread inherits that. */
static bool clone_watchdog(void)
{
    char *stack_top = memory + GUARD_BYTES + STACK_BYTES;
    char *thread_pointer = stack_top + TLS_BELOW;
    lh_cpu_fake_tls(thread_pointer);
    long tid = lh_cpu_clone(
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
            CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
        stack_top, (int *)&lh_process->watchdog_tid, thread_pointer, watchdog_main, NULL);
    return tid > 0;
}

static void give_up(const char *why)
{
    static _Atomic uint32_t said;
    atomic_store(&lh_process->state, LH_PROCESS_OFF);
    lh_say_once(&said, why);
}

static void start(void)
{
    atomic_store(&lh_process->watchdog_stop, 0);
    atomic_store(&lh_process->watchdog_ready, 0);
    if (!map_memory() || !clone_watchdog()) {
        give_up("loophound: cannot start its watchdog thread; this process is not watched\n");
        return;
    }
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
    while (atomic_load(&lh_process->watchdog_ready) == 0 && lh_clock_ns(CLOCK_MONOTONIC) < end)
        futex_wait(&lh_process->watchdog_ready, 0, WAIT_NS);
    if (atomic_load(&lh_process->watchdog_ready) == LH_WATCHDOG_UNABLE)
        give_up(
            "loophound: cannot make its ring (memfd_create, close_range: Linux 5.9 or later; "
            "limits of open files, file size and locked memory); this process is not watched\n");
    choose_timing(true);
}

/* One thread at a time starts or stops it, and no signal handler leaves it in the middle. */
static bool begin_change(uint64_t *signals)
{
    uint32_t idle = 0;
    *signals = lh_signals_block();
    if (atomic_compare_exchange_strong(&lh_process->watchdog_busy, &idle, 1))
        return true;
    lh_signals_restore(*signals);
    return false;
}

static void end_change(uint64_t signals)
{
    atomic_store(&lh_process->watchdog_busy, 0);
    lh_signals_restore(signals);
}

void lh_watchdog_call(void)
{
    uint64_t signals;
    atomic_store(&lh_process->watchdog_call, 0);
    if (atomic_load(&lh_process->watchdog_tid) == 0 &&
        atomic_load(&lh_process->state) != LH_PROCESS_OFF && begin_change(&signals)) {
        if (atomic_load(&lh_process->watchdog_tid) == 0)
            start();
        end_change(signals);
    }
    atomic_fetch_add(&lh_process->watchdog_wake, 1);
    lh_stops_called();
    futex_wake(&lh_process->watchdog_wake);
}

void lh_watchdog_want_collector(void)
{
    atomic_store(&lh_process->attach_wanted, 1);
    if (atomic_load(&lh_process->watchdog_tid) == 0)
        return; /* stopped: it is started, and attaches, at the next park */
    atomic_fetch_add(&lh_process->watchdog_wake, 1);
    futex_wake(&lh_process->watchdog_wake);
}

/* The kernel clears the word and wakes it (CLONE_CHILD_CLEARTID) when the thread has given up the
 * memory; it is a thread of the process for a moment longer, and would be counted. */
static void wait_until_gone(int tid)
{
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
    const struct timespec timeout = {WAIT_NS / LH_NS_PER_S, 0};
    long process = lh_syscall0(SYS_getpid);
    while (atomic_load(&lh_process->watchdog_tid) == tid)
        if (lh_syscall4(SYS_futex, (long)&lh_process->watchdog_tid, FUTEX_WAIT, tid,
                        (long)&timeout) == -ETIMEDOUT)
            return;
    while (lh_syscall3(SYS_tgkill, process, tid, 0) == 0 && lh_clock_ns(CLOCK_MONOTONIC) < end)
        lh_syscall0(SYS_sched_yield);
}

static void stop(int tid)
{
    choose_timing(false);
    atomic_store(&lh_process->watchdog_stop, 1);
    atomic_fetch_add(&lh_process->watchdog_wake, 1);
    futex_wake(&lh_process->watchdog_wake);
    wait_until_gone(tid);
    atomic_store(&lh_process->watchdog_call, 1);
}

/* A handler inside a wrapper that holds it need not. A frame that is further in than we are was
 * left in a way that nobody saw. */
static bool is_held_by(uintptr_t frame)
{
    return lh_self.holds_watchdog > frame;
}

/* Another thread that starts or holds it at the moment is waited for, but not for ever. */
bool lh_watchdog_hold(uintptr_t frame)
{
    uint64_t signals;
    if (lh_process == NULL || is_held_by(frame))
        return false;
    lh_watchdog_release();
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + WAIT_NS;
    while (!begin_change(&signals)) {
        if (lh_clock_ns(CLOCK_MONOTONIC) > end)
            return false;
        lh_syscall0(SYS_sched_yield);
    }
    int tid = atomic_load(&lh_process->watchdog_tid);
    if (tid != 0)
        stop(tid);
    lh_self.holds_watchdog = frame;
    lh_signals_restore(signals);
    return true;
}

void lh_watchdog_release(void)
{
    if (lh_self.holds_watchdog == 0)
        return;
    uint64_t signals = lh_signals_block();
    lh_self.holds_watchdog = 0;
    end_change(signals);
}

void lh_watchdog_stop(void)
{
    if (lh_watchdog_hold((uintptr_t)__builtin_frame_address(0)))
        lh_watchdog_release();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog thread: its start and its end. Runs on the program's threads, signal handlers
 * among them: raw system calls only, errno stays. */
#include "preload/watchdog/watchdog.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>

#include "preload/python/interpreter.h"
#include "preload/state/state.h"
#include "preload/state/suspends.h"
#include "preload/state/wake.h"
#include "preload/sys/clock.h"
#include "preload/sys/cpu.h"
#include "preload/sys/fd.h"
#include "preload/sys/futex.h"
#include "preload/sys/memory.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"
#include "preload/watchdog/watchdog_thread.h"

#define DIGITS(number)    #number
#define DIGITS_OF(number) DIGITS(number)

#define STACK_BYTES (64 * 1024)
#define GUARD_BYTES 4096
#define TLS_BYTES   (16 * 1024)

/* Mapped once, also used again by children of fork. */
static char *memory;

static bool map_memory(void)
{
    if (memory == NULL) {
        memory = lh_memory_map(NULL, GUARD_BYTES + STACK_BYTES + TLS_BYTES,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1);
        lh_syscall3(SYS_mprotect, (long)memory, GUARD_BYTES, PROT_NONE);
    }
    return memory != NULL;
}

/* With all signals blocked: the new thread inherits that. Its number stands in watchdog_tid before
 * it runs, and no longer when it has given up the memory. */
static bool clone_watchdog(void)
{
    char *stack_top = memory + GUARD_BYTES + STACK_BYTES;
    char *thread_pointer = stack_top + LH_CPU_TLS_BELOW;
    lh_cpu_fake_tls(thread_pointer);
    long tid = lh_cpu_clone(
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
            CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
        stack_top, (int *)&lh_process->watchdog_tid, thread_pointer, lh_watchdog_main, NULL);
    return tid > 0;
}

static void give_up(const char *why)
{
    static _Atomic uint32_t said;
    atomic_store(&lh_process->state, LH_PROCESS_OFF);
    lh_say_once(&said, why);
}

static void wait_until_ready(void)
{
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + LH_WATCHDOG_WAIT_NS;
    while (atomic_load(&lh_process->watchdog_ready) == 0 && lh_clock_ns(CLOCK_MONOTONIC) < end)
        lh_futex_wait(&lh_process->watchdog_ready, 0, LH_WATCHDOG_WAIT_NS, false);
}

static void begin_to_watch(void)
{
    wait_until_ready();
    uint32_t ready = atomic_load(&lh_process->watchdog_ready);
    if (ready == LH_WATCHDOG_NO_ROOM)
        give_up("loophound: there is no room for its descriptors: RLIMIT_NOFILE (ulimit -n) has to "
                "be at least " DIGITS_OF(LH_FD_LIMIT_LEAST) "; this process is not watched\n");
    if (ready == LH_WATCHDOG_UNABLE)
        give_up("loophound: cannot make its ring (memfd_create, close_range: Linux 5.9 or later; "
                "limits of file size and locked memory); this process is not watched\n");
    lh_watchdog_choose_timing(true);
}

static bool make(enum lh_watchdog_role role)
{
    atomic_store(&lh_process->watchdog_stop, LH_WATCHDOG_GOES_ON);
    atomic_store(&lh_process->watchdog_ready, 0);
    atomic_store(&lh_process->watchdog_role, role);
    return map_memory() && clone_watchdog();
}

static void start(void)
{
    if (make(LH_WATCHDOG_WATCHES))
        begin_to_watch();
    else
        give_up("loophound: cannot start its watchdog thread; this process is not watched\n");
}

/* The scout is there already, unless it is just leaving. */
static bool promote(void)
{
    uint32_t role = LH_WATCHDOG_SCOUTS;
    atomic_store(&lh_process->watchdog_ready, 0);
    if (!atomic_compare_exchange_strong(&lh_process->watchdog_role, &role, LH_WATCHDOG_WATCHES))
        return false;
    lh_wake_watchdog();
    begin_to_watch();
    return true;
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

/* The kernel clears the word and wakes it (CLONE_CHILD_CLEARTID) when the thread has given up the
 * memory; it is a thread of the process for a moment longer, and would be counted. */
static void wait_until_gone(int tid, int64_t most_ns)
{
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + most_ns;
    long process = lh_syscall0(SYS_getpid);
    while (atomic_load(&lh_process->watchdog_tid) == tid)
        if (most_ns <= 0 || lh_futex_wait((_Atomic uint32_t *)&lh_process->watchdog_tid,
                                          (uint32_t)tid, most_ns, true) == -ETIMEDOUT)
            return;
    while (lh_syscall3(SYS_tgkill, process, tid, 0) == 0 && lh_clock_ns(CLOCK_MONOTONIC) < end)
        lh_syscall0(SYS_sched_yield);
}

/* Nobody stops it now. One that was asked to end, and could not in time, is kept; one that is just
 * leaving is for the next who calls. */
static void start_or_keep(void)
{
    uint32_t asked = LH_WATCHDOG_ASKED_TO_END;
    int tid = atomic_load(&lh_process->watchdog_tid);
    if (tid != 0 && atomic_load(&lh_process->watchdog_role) != LH_WATCHDOG_WATCHES) {
        if (promote())
            return;
        wait_until_gone(tid, LH_WATCHDOG_WAIT_NS);
    }
    if (atomic_load(&lh_process->watchdog_tid) == 0)
        start();
    else if (atomic_compare_exchange_strong(&lh_process->watchdog_stop, &asked,
                                            LH_WATCHDOG_GOES_ON))
        lh_watchdog_choose_timing(true);
    else if (asked == LH_WATCHDOG_LEAVES)
        atomic_store(&lh_process->watchdog_call, 1);
}

static bool is_going_on(void)
{
    return atomic_load(&lh_process->watchdog_tid) != 0 && lh_watchdog_is_to_watch() &&
           atomic_load(&lh_process->watchdog_stop) == LH_WATCHDOG_GOES_ON;
}

void lh_watchdog_call(void)
{
    uint64_t signals;
    atomic_store(&lh_process->watchdog_call, 0);
    if (!is_going_on() && atomic_load(&lh_process->state) != LH_PROCESS_OFF &&
        begin_change(&signals)) {
        start_or_keep();
        end_change(signals);
    }
    atomic_fetch_add(&lh_process->watchdog_wake, 1);
    lh_suspends_called();
    lh_futex_wake(&lh_process->watchdog_wake, false);
}

void lh_watchdog_call_if_idle(void)
{
    if (!is_going_on() || atomic_load(&lh_process->watchdog_call) != 0)
        lh_watchdog_call();
}

static void stop(int tid, int64_t most_ns)
{
    lh_watchdog_choose_timing(false);
    if (!lh_watchdog_is_to_watch())
        atomic_store(&lh_process->scouted, 0); /* and may be again */
    atomic_store(&lh_process->watchdog_stop, LH_WATCHDOG_ASKED_TO_END);
    lh_wake_watchdog();
    wait_until_gone(tid, most_ns);
    atomic_store(&lh_process->watchdog_call, 1);
}

/* A handler inside a wrapper that holds it need not. A frame that is further in than we are was
 * left in a way that nobody saw. */
static bool is_paused_by(uintptr_t frame)
{
    return lh_self.paused_watchdog > frame;
}

/* Another thread that starts or holds it at the moment is waited for, but not for ever. */
static bool pause_for(uintptr_t frame, int64_t most_ns)
{
    uint64_t signals;
    if (lh_process == NULL || is_paused_by(frame))
        return false;
    lh_watchdog_resume();
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + most_ns;
    while (!begin_change(&signals)) {
        if (lh_clock_ns(CLOCK_MONOTONIC) > end)
            return false;
        lh_syscall0(SYS_sched_yield);
    }
    int tid = atomic_load(&lh_process->watchdog_tid);
    if (tid != 0)
        stop(tid, end - lh_clock_ns(CLOCK_MONOTONIC));
    lh_self.stopped_watchdog = tid != 0;
    lh_self.paused_watchdog = frame;
    lh_signals_restore(signals);
    return true;
}

bool lh_watchdog_pause(uintptr_t frame)
{
    return pause_for(frame, LH_WATCHDOG_WAIT_NS);
}

static void release(void)
{
    uint64_t signals = lh_signals_block();
    lh_self.paused_watchdog = 0;
    end_change(signals);
}

/* Not in a child of fork, which is no watched process yet. */
static bool is_wanted(void)
{
    if (atomic_load(&lh_process->state) != LH_PROCESS_WATCHED)
        return false;
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++)
        if (atomic_load(&lh_process->slots[i].tid) != 0 &&
            (atomic_load(&lh_process->slots[i].parked) == 0 ||
             atomic_load(&lh_process->slots[i].inlined.is) != 0))
            return true;
    return false;
}

void lh_watchdog_resume(void)
{
    if (lh_self.paused_watchdog == 0)
        return;
    bool stopped = lh_self.stopped_watchdog;
    release();
    if (stopped && is_wanted() && !lh_python_counts_threads())
        lh_watchdog_call();
}

/* The program does not wait for it. */
void lh_watchdog_scout(void)
{
    uint64_t signals;
    uint32_t before = 0;
    if (!atomic_compare_exchange_strong(&lh_process->scouted, &before, 1) ||
        !begin_change(&signals))
        return;
    if (atomic_load(&lh_process->state) == LH_PROCESS_NEW &&
        atomic_load(&lh_process->watchdog_tid) == 0)
        make(LH_WATCHDOG_SCOUTS);
    end_change(signals);
}

void lh_watchdog_stop(int64_t most_ns)
{
    if (pause_for((uintptr_t)__builtin_frame_address(0), most_ns))
        release();
}

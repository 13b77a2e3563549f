/* The sampling timer and its signal's handler. lh_sampler_start() runs on the watchdog, all else on
 * the loop threads; the handler at any instruction of theirs: raw system calls only, no malloc, no
 * locks, little stack, errno kept. */
#include "preload/sampler.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include "preload/attach.h"
#include "preload/clock.h"
#include "preload/proc.h"
#include "preload/stall.h"
#include "preload/sys.h"

#define NO_TIMER (-1)

/* The kernel's form of struct sigaction: rt_sigaction(2), asm/signal.h. */
struct kernel_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};
#define KERNEL_SA_RESTORER 0x04000000UL

static void set_timer(int timer, int64_t interval_ns)
{
    const struct itimerspec times = {{0, interval_ns}, {0, interval_ns}};
    lh_syscall4(SYS_timer_settime, timer, 0, (long)&times, 0);
}

/* ---- on the loop threads ---- */

static void write_record(struct lh_slot *slot, enum lh_event type, const struct lh_call_copy *copy,
                         const struct lh_stall_tale *tale, bool running)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct lh_record *record =
        ring != NULL && lh_ring_has_room(ring) ? lh_ring_reserve(ring) : NULL;
    if (record == NULL)
        return;
    record->running = running;
    lh_record_fill(record, type, copy, tale->elapsed_ns, true);
    record->id = tale->id;
    record->group = LH_GROUP_OTHER;
    record->resource.kind = LH_RESOURCE_NONE;
    record->resource.length = 0;
    record->stall.turn = atomic_load_explicit(&slot->turn, memory_order_relaxed);
    lh_ring_commit(ring, record);
    if (type != LH_EVENT_SAMPLE || atomic_load(&ring->attached) != 0)
        lh_ring_wake(ring);
}

void lh_sample_write(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t elapsed_ns,
                     bool running)
{
    struct lh_stall_tale tale = {.elapsed_ns = elapsed_ns};
    write_record(slot, LH_EVENT_SAMPLE, copy, &tale, running);
    if (lh_stall_is_told(slot, &tale))
        write_record(slot, LH_EVENT_STALLING, copy, &tale, running);
}

static void copy_registers(struct lh_registers *to, const ucontext_t *context)
{
    const greg_t *from = context->uc_mcontext.gregs;
    *to = (struct lh_registers){
        .rbx = (uint64_t)from[REG_RBX],
        .rbp = (uint64_t)from[REG_RBP],
        .r12 = (uint64_t)from[REG_R12],
        .r13 = (uint64_t)from[REG_R13],
        .r14 = (uint64_t)from[REG_R14],
        .r15 = (uint64_t)from[REG_R15],
        .rsp = (uint64_t)from[REG_RSP],
        .rip = (uint64_t)from[REG_RIP],
    };
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    struct lh_slot *slot = lh_self.slot;
    int saved_errno = errno;
    (void)number;
    if (info->si_code != SI_TIMER || slot == NULL || info->si_value.sival_ptr != slot)
        return;
    if (atomic_load(&slot->parked) != 0 ||
        atomic_load(&slot->sampled_turn) != atomic_load(&slot->turn)) {
        lh_sampler_stop(slot); /* set too late */
    } else {
        struct lh_call_copy copy = {.tid = atomic_load(&slot->tid),
                                    .python_thread = slot->python_thread};
        copy_registers(&copy.registers, context);
        lh_sample_write(slot, &copy, (1 + (uint64_t)info->si_overrun) * LH_SAMPLE_NS, true);
    }
    errno = saved_errno;
}

void lh_sampler_stop(struct lh_slot *slot)
{
    int64_t timer = atomic_load(&slot->timer);
    atomic_store(&slot->sampled_turn, 0);
    if (timer > 0)
        set_timer((int)timer - 1, 0);
}

void lh_sampler_free(struct lh_slot *slot)
{
    int64_t timer = atomic_exchange(&slot->timer, 0);
    atomic_store(&slot->sampled_turn, 0);
    if (timer > 0)
        lh_syscall1(SYS_timer_delete, timer - 1);
}

/* ---- on the watchdog ---- */

static bool is_blocked(uint32_t tid, int number)
{
    static const char name[] = "SigBlk:\t";
    char status[4096];
    if (lh_proc_read(tid, "status", status, sizeof(status)) <= 0)
        return true;
    const char *line = strstr(status, name);
    uint64_t mask = line != NULL ? lh_proc_hex(line + sizeof(name) - 1) : UINT64_MAX;
    return (mask >> (number - 1) & 1) != 0;
}

/* The signal must be ours already, or nobody's. */
static bool take_signal(int number)
{
    struct kernel_sigaction action = {.handler = on_signal,
                                      .flags =
                                          SA_SIGINFO | SA_RESTART | SA_ONSTACK | KERNEL_SA_RESTORER,
                                      .restorer = lh_cpu_signal_return};
    struct kernel_sigaction old = {0};
    if (lh_syscall4(SYS_rt_sigaction, number, 0, (long)&old, sizeof(old.mask)) != 0)
        return false;
    if (old.handler == on_signal)
        return true;
    return old.handler == NULL &&
           lh_syscall4(SYS_rt_sigaction, number, (long)&action, 0, sizeof(action.mask)) == 0;
}

/* timer_create(2) with SIGEV_THREAD_ID; the clock is the thread's own, as in stall_look.c. */
static int64_t make_timer(struct lh_slot *slot, uint32_t tid)
{
    int timer = 0;
    struct sigevent event = {.sigev_signo = lh_options.signal,
                             .sigev_notify = SIGEV_THREAD_ID,
                             .sigev_value.sival_ptr = slot};
    event._sigev_un._tid = (pid_t)tid;
    long error =
        lh_syscall3(SYS_timer_create, (long)(int)(~tid << 3 | 6), (long)&event, (long)&timer);
    return error == 0 ? timer + 1 : NO_TIMER;
}

void lh_sampler_start(struct lh_slot *slot, uint64_t turn)
{
    uint32_t tid = atomic_load(&slot->tid);
    int64_t timer = atomic_load(&slot->timer);
    if (lh_options.signal == 0 || timer == NO_TIMER || tid == 0 ||
        atomic_load(&slot->sampled_turn) == turn)
        return;
    atomic_store(&slot->sampled_turn, turn);
    lh_attach_forget_samples();
    if (is_blocked(tid, lh_options.signal) || !take_signal(lh_options.signal))
        return;
    if (timer == 0) {
        timer = make_timer(slot, tid);
        atomic_store(&slot->timer, timer);
    }
    if (timer > 0)
        set_timer((int)timer - 1, LH_SAMPLE_NS);
    if (atomic_load(&slot->turn) != turn && timer > 0)
        set_timer((int)timer - 1, 0);
}

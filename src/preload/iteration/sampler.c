/* SPDX-License-Identifier: Apache-2.0 */
/* The sampling signal's handler, and samples of calls. Runs on the loop threads, the handler at any
 * instruction of theirs: raw system calls only, no malloc, no locks, little stack, errno kept. */
#include "preload/iteration/sampler.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"
#include "preload/iteration/accounts.h"
#include "preload/iteration/progress.h"
#include "preload/state/meet.h"
#include "preload/state/suspends.h"
#include "preload/sys/clock.h"
#include "preload/sys/cpu.h"
#include "preload/sys/proc.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

#define PENDING_LOOKS 1000

/* A bit for each signal that has our handler, or had it. */
static _Atomic uint64_t taken;

static bool is_ours(int number)
{
    struct lh_signal_action now = {0};
    return lh_signal_action(number, NULL, &now) == 0 && now.handler == lh_sampler_on_signal;
}

bool lh_sampler_take_signal(int number)
{
    const struct lh_signal_action ours = {.handler = lh_sampler_on_signal,
                                          .flags =
                                              SA_SIGINFO | SA_RESTART | SA_ONSTACK | LH_SA_RESTORER,
                                          .restorer = lh_cpu_signal_return};
    struct lh_signal_action old = {0};
    if (lh_signal_action(number, NULL, &old) != 0)
        return false;
    if (old.handler == lh_sampler_on_signal)
        return true;
    if (old.handler != NULL)
        return false;
    atomic_fetch_or(&taken, 1ULL << (number - 1));
    return lh_signal_action(number, &ours, NULL) == 0;
}

/* A signal that its timer has sent before it was stopped. */
static bool is_pending(uint32_t tid, int number)
{
    static const char name[] = "SigPnd:\t";
    char status[4096];
    if (lh_proc_read(tid, "status", status, sizeof(status)) <= 0)
        return false;
    const char *line = strstr(status, name);
    return line != NULL && (lh_text_parse_hex(line + sizeof(name) - 1) >> (number - 1) & 1) != 0;
}

static void silence(struct lh_slot *slot, int number)
{
    int64_t timer = atomic_load(&slot->timer);
    uint32_t tid = atomic_load(&slot->tid);
    if (timer <= 0 || tid == 0 || atomic_load(&slot->timer_signal) != (uint32_t)number)
        return;
    lh_sampler_set_timer((int)timer - 1, 0, 0);
    for (int i = 0; i < PENDING_LOOKS && is_pending(tid, number); i++)
        lh_syscall0(SYS_sched_yield);
}

void lh_sampler_give_back(int number)
{
    const struct lh_signal_action none = {0};
    uint64_t bit = number >= 1 && number <= LH_SIGNAL_MAX ? 1ULL << (number - 1) : 0;
    if ((atomic_load(&taken) & bit) == 0 || !is_ours(number))
        return;
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++)
        silence(&lh_process->slots[i], number);
    lh_signal_action(number, &none, NULL);
    atomic_fetch_and(&taken, ~bit);
}

void lh_sampler_set_timer(int timer, int64_t first_ns, int64_t interval_ns)
{
    const struct itimerspec times = {{0, interval_ns}, {0, first_ns}};
    lh_syscall4(SYS_timer_settime, timer, 0, (long)&times, 0);
}

static void write_record(struct lh_slot *slot, enum lh_event type, const struct lh_call_copy *copy,
                         const struct lh_progress *progress, bool running)
{
    struct lh_record *record = lh_record_begin(type, copy, progress->elapsed_ns, true);
    if (record == NULL)
        return;
    record->running = running;
    record->span_ns = progress->age_ns;
    record->id = progress->id;
    record->stall.iteration_id = lh_iteration_now(slot);
    lh_record_publish(record);
}

void lh_sample_write(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t elapsed_ns,
                     bool running)
{
    struct lh_progress progress = {.elapsed_ns = elapsed_ns};
    atomic_store(&slot->seen_iteration, lh_iteration_now(slot));
    write_record(slot, LH_EVENT_SAMPLE, copy, &progress, running);
    if (lh_progress_should_report_own(slot, &progress))
        write_record(slot, LH_EVENT_STALLING, copy, &progress, running);
}

/* Not from a timer of ours. Without us it would have ended the process, or nothing. */
static void pass_on(int number)
{
    const struct lh_signal_action none = {0};
    if (number == SIGURG || number == SIGWINCH)
        return;
    lh_signal_action(number, &none, NULL);
    lh_syscall3(SYS_tgkill, lh_syscall0(SYS_getpid), lh_syscall0(SYS_gettid), number);
}

static void say_substitute(int number)
{
    static _Atomic uint32_t said;
    char line[128];
    struct lh_text text;
    if (number == lh_options.signal || atomic_load(&said) != 0)
        return;
    lh_text_init(&text, line, sizeof(line));
    lh_text_string(&text, "loophound: the program uses signal ");
    lh_text_u64(&text, lh_options.signal);
    lh_text_string(&text, " (LOOPHOUND_SIGNAL) itself: its loop threads are sampled by signal ");
    lh_text_u64(&text, (uint64_t)number);
    lh_text_string(&text, "\n");
    lh_say_once(&said, line);
}

static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

/* What the accounts said when the iteration began, as the watchdog has seen it: it has stored that
 * before it had this iteration sampled. */
static struct lh_running at_begin(const struct lh_slot *slot)
{
    return (struct lh_running){.iteration_id = lh_iteration_now(slot),
                               .at = slot->iteration_start,
                               .cpu_ns = slot->baseline.cpu_ns,
                               .run_delay_ns = slot->baseline.run_delay_ns};
}

static struct lh_running now_of(struct lh_slot *slot)
{
    const struct lh_accounts *accounts = lh_accounts(slot);
    return (struct lh_running){.iteration_id = lh_iteration_now(slot),
                               .at = lh_counter(),
                               .cpu_ns = (uint64_t)lh_clock_ns(CLOCK_THREAD_CPUTIME_ID),
                               .run_delay_ns = lh_proc_run_delay_ns(atomic_load(&slot->tid)),
                               .calls_ns =
                                   lh_counter_to_ns(accounts->calls_tsc + accounts->gil_tsc) +
                                   accounts->reported_ns};
}

/* How long the thread has run, or waited for a processor to run on, since the last such sample:
 * that is what this one stands for. Waits for a processor that are part of a call are the call's.
 */
static uint64_t take_running_ns(struct lh_slot *slot)
{
    struct lh_running before = slot->running;
    struct lh_running now = now_of(slot);
    if (before.iteration_id != now.iteration_id)
        before = at_begin(slot);
    slot->running = now;
    uint64_t wall_ns = lh_counter_to_ns(since(now.at, before.at));
    wall_ns -= lh_suspends_within(before.at, wall_ns);
    wall_ns = since(wall_ns, since(now.calls_ns, before.calls_ns));
    if (now.run_delay_ns == LH_UNKNOWN || before.run_delay_ns == LH_UNKNOWN)
        return wall_ns;
    uint64_t ready_ns =
        since(now.cpu_ns, before.cpu_ns) + since(now.run_delay_ns, before.run_delay_ns);
    return ready_ns < wall_ns ? ready_ns : wall_ns;
}

static void sample_running(struct lh_slot *slot, const void *context)
{
    struct lh_call_copy copy = {.tid = atomic_load(&slot->tid),
                                .python_thread = slot->python_thread,
                                .isolate = slot->isolate,
                                .interrupted = true};
    lh_cpu_registers_interrupted(&copy.registers, context);
    atomic_store(&slot->home.stack, copy.registers.sp);
    lh_sample_write(slot, &copy, take_running_ns(slot), true);
    atomic_store(&slot->home.stack, 0);
}

void lh_sampler_on_signal(int number, siginfo_t *info, void *context)
{
    struct lh_slot *slot = lh_self.slot;
    int saved_errno = errno;
    bool from_timer = info->si_code == SI_TIMER && lh_slot_is(info->si_value.sival_ptr);
    if (!from_timer)
        pass_on(number);
    else if (slot == NULL && lh_meet != NULL && lh_meet())
        slot = lh_self.slot;
    if (!from_timer || slot == NULL || info->si_value.sival_ptr != slot)
        return;
    if (atomic_load(&slot->parked) != 0 ||
        atomic_load(&slot->sampled_iteration) != atomic_load(&slot->iteration_id)) {
        lh_sampler_stop(slot); /* set too late */
    } else {
        say_substitute(number);
        sample_running(slot, context);
    }
    errno = saved_errno;
}

enum lh_no_stack lh_sampler_no_signal(const struct lh_slot *slot, uint64_t iteration_id)
{
    uint64_t no_signal = atomic_load(&slot->no_signal);
    return no_signal >> 8 == iteration_id ? (enum lh_no_stack)(no_signal & 0xff) : LH_STACK_KNOWN;
}

void lh_sampler_stop(struct lh_slot *slot)
{
    int64_t timer = atomic_load(&slot->timer);
    atomic_store(&slot->sampled_iteration, 0);
    if (timer > 0)
        lh_sampler_set_timer((int)timer - 1, 0, 0);
}

void lh_sampler_free_timer(struct lh_slot *slot)
{
    int64_t timer = atomic_exchange(&slot->timer, 0);
    if (timer > 0)
        lh_syscall1(SYS_timer_delete, timer - 1);
}

void lh_sampler_free(struct lh_slot *slot)
{
    atomic_store(&slot->sampled_iteration, 0);
    lh_sampler_free_timer(slot);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From a call to a record in the ring. Any thread; see record.h. */
#include "preload/state/record.h"

#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "preload/python/interpreter.h"
#include "preload/state/image.h"
#include "preload/state/resource.h"
#include "preload/state/tags.h"
#include "preload/state/wake.h"
#include "preload/sys/clock.h"
#include "preload/sys/cpu.h"
#include "preload/sys/futex.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"
#include "preload/v8/engine.h"

void lh_call_copy_own(struct lh_slot *slot, struct lh_call_copy *copy)
{
    copy->seq = atomic_load_explicit(&slot->seq, memory_order_relaxed);
    copy->start = slot->start;
    copy->operand = slot->operand;
    copy->call = slot->call;
    copy->tid = atomic_load_explicit(&slot->tid, memory_order_relaxed);
    copy->python_thread = slot->python_thread;
    copy->isolate = slot->isolate;
    copy->registers = slot->registers;
    copy->sp = 0;
    copy->interrupted = false;
    copy->view = NULL;
}

bool lh_call_copy_consistent(struct lh_slot *slot, struct lh_call_copy *copy)
{
    /* The number first: between two calls `sp` is 0, so that one that is not 0 now is of this call,
     * or of a later one, and so are the fields. `sp` alone is the same for each call of a frame. */
    uint64_t seq = atomic_load_explicit(&slot->seq, memory_order_acquire);
    uintptr_t sp = atomic_load_explicit(&slot->sp, memory_order_acquire);
    if (sp == 0)
        return false;
    lh_call_copy_own(slot, copy);
    copy->sp = sp;
    atomic_thread_fence(memory_order_acquire);
    return copy->call < lh_call_count() && copy->seq == seq && seq == atomic_load(&slot->seq) &&
           sp == atomic_load(&slot->sp);
}

bool lh_call_is_in_flight(struct lh_slot *slot, const struct lh_call_copy *copy)
{
    atomic_thread_fence(memory_order_acquire);
    /* In this order: a call that has begun since has changed the number before `sp`. One that is
     * over and being decided about has another `sp`: claim() in block.c. */
    return atomic_load(&slot->sp) == copy->sp && atomic_load(&slot->seq) == copy->seq;
}

bool lh_call_is_for_gil(const struct lh_call_copy *copy)
{
    return lh_call_info(copy->call)->operand == LH_OPERAND_CONDITION &&
           lh_python_is_runtime_lock(copy->operand);
}

/* A wait for no descriptors is a sleep, as time.sleep() is before Python 3.11. An epoll set without
 * any may get some while it is waited for. */
static bool is_sleep(const struct lh_call_info *info, const struct lh_resource *resource)
{
    static const char sets[] = "epoll";
    return info->operand == LH_OPERAND_WAITING && resource->kind == LH_RESOURCE_DURATION &&
           resource->number >= 0 && strncmp(info->canonical, sets, sizeof(sets) - 1) != 0;
}

/* A wait for one thing is about that: a socket, a file with a name, a pipe. One for several is not,
 * nor one for what the kernel makes of no inode (eventfd, timerfd, another epoll set). */
static uint32_t group_of(const struct lh_call_info *info, const struct lh_resource *resource)
{
    static const char nameless[] = "anon_inode:";
    bool waits = resource->waited_count == 1;
    bool is_nameless = resource->length >= sizeof(nameless) - 1 &&
                       memcmp(resource->text, nameless, sizeof(nameless) - 1) == 0;
    if (is_sleep(info, resource))
        return LH_GROUP_SLEEP;
    if (resource->kind == LH_RESOURCE_SOCKET && (info->group == LH_GROUP_FILE || waits))
        return LH_GROUP_NETWORK;
    return waits && resource->kind == LH_RESOURCE_FILE && !is_nameless ? LH_GROUP_FILE
                                                                       : info->group;
}

bool lh_call_is_wanted(const struct lh_slot *slot, const struct lh_call_copy *copy,
                       const struct lh_resource *resource, uint32_t *group)
{
    *group = group_of(lh_call_info(copy->call), resource);
    if (atomic_load_explicit(&slot->allow_depth, memory_order_relaxed) != 0)
        return false;
    if ((lh_options.calls[copy->call] & LH_CALL_ON_AS(*group)) == 0)
        return false;
    return !lh_call_is_for_gil(copy);
}

static bool is_main_thread(uint32_t tid)
{
    return tid == atomic_load_explicit(&lh_process->pid, memory_order_relaxed);
}

static void name_python(const struct lh_view *view, struct lh_record *record, uint32_t tid,
                        uintptr_t python_thread, char name[LH_THREAD_NAME])
{
    static const char main_thread[] = "MainThread";
    if (is_main_thread(tid))
        memcpy(name, main_thread, sizeof(main_thread));
    else
        lh_python_name_thread(view, python_thread, record, name);
}

void lh_record_name_python(struct lh_record *record, uint32_t tid, uintptr_t python_thread,
                           char name[LH_THREAD_NAME])
{
    struct lh_view view = {.read = lh_memory_read_self};
    if (python_thread == 0)
        return;
    if (!is_main_thread(tid))
        view = lh_view_of_process();
    name_python(&view, record, tid, python_thread, name);
    lh_view_close(&view);
}

static void fill_thread_name(struct lh_record *record, const struct lh_call_copy *copy, bool own)
{
    static const char unknown[] = "?";
    uint32_t tid = copy->tid;
    memset(record->thread, 0, sizeof(record->thread));
    if (own)
        lh_syscall5(SYS_prctl, PR_GET_NAME, (long)record->thread, 0, 0, 0);
    else
        lh_proc_thread_name(tid, record->thread);
    if (record->thread[0] == '\0')
        memcpy(record->thread, unknown, sizeof(unknown));
}

/* From the red zone on, where unwinding finds what code in assembler keeps there; at the end of a
 * small stack there may be none. */
static void copy_stack(struct lh_record *record, uintptr_t sp)
{
    static const uint32_t below[] = {LH_RED_ZONE_BYTES, 0};
    for (size_t i = 0; record->stack_length == 0 && i < sizeof(below) / sizeof(below[0]); i++) {
        record->stack_address = sp - below[i];
        record->stack_length = (uint32_t)lh_memory_copy_self(record->stack, record->stack_address,
                                                             lh_options.stack_bytes);
    }
    if (record->stack_length == 0)
        record->stack_address = 0;
}

/* Only a thread that was interrupted may be in code of JavaScript's: by its frame pointer. */
static void capture_js(const struct lh_view *view, struct lh_record *record,
                       const struct lh_call_copy *copy)
{
    const struct lh_v8_thread thread = {
        .isolate = copy->isolate,
        .sp = copy->registers.sp,
        .fp = copy->interrupted ? copy->registers.fp : 0,
        .pc = copy->interrupted ? copy->registers.pc : 0,
        .link = lh_cpu_link(&copy->registers),
    };
    lh_v8_capture(view, &thread, lh_process->v8_scratch, lh_options.stack_frames, record);
}

/* On a thread of the program's: the watchdog need not have its standard error. */
static void say_doubt(void)
{
    static _Atomic uint32_t said;
    const char *doubt = lh_v8_doubt();
    if (doubt != NULL)
        lh_say_once(&said, doubt);
}

static void fill_stack(const struct lh_view *view, struct lh_record *record,
                       const struct lh_call_copy *copy)
{
    record->registers = copy->registers;
    record->stack_length = 0;
    record->stack_address = 0;
    record->python_count = 0;
    record->python_cut = 0;
    record->js_count = 0;
    record->js_cut = 0;
    record->strings_length = 0;
    record->python_loop.size = 0;
    record->task = (struct lh_python_task){0};
    record->awaited.kind = LH_AWAITED_NONE;
    record->awaited.has_coroutine = 0;
    record->awaited.is_suspended = 0;
    record->awaited.candidate_count = 0;
    if (lh_options.stack_frames == 0)
        return;
    if (copy->registers.sp != 0)
        copy_stack(record, copy->registers.sp);
    if (copy->python_thread != 0)
        lh_python_capture(view, copy->python_thread, lh_options.stack_frames, record);
    if (copy->isolate != 0)
        capture_js(view, record, copy);
    if (copy->registers.sp != 0 && record->stack_length == 0 && record->python_count == 0 &&
        record->js_count == 0 && lh_memory_is_denied())
        record->no_stack = LH_NO_STACK_DENIED;
}

/* How a type of record is handed over. The ring's second half is not for what can be missed. A
 * reader that is there looks by itself, twice a second: a program that makes a loop for each of its
 * tests need not wake it each time. */
static const struct handling {
    bool optional;  /* only while less than half of the ring is in use */
    bool uncounted; /* one that is lost was no report */
    bool is_named;  /* with the thread's name in Python, whose frames it has */
    enum { WAKE, WAKE_IF_READ, WAKE_IF_SHOWN, WAKE_LATER } wake;
} handlings[LH_EVENT_COUNT] = {
    [LH_EVENT_LOOP] = {.uncounted = true, .wake = WAKE_IF_SHOWN},
    [LH_EVENT_BLOCK] = {.is_named = true},
    [LH_EVENT_INFLIGHT] = {.is_named = true},
    [LH_EVENT_STALLING] = {.is_named = true},
    [LH_EVENT_HOME] = {.optional = true, .uncounted = true, .wake = WAKE_IF_SHOWN},
    [LH_EVENT_SAMPLE] = {.optional = true, .uncounted = true, .wake = WAKE_IF_READ},
    [LH_EVENT_HOLDER] = {.optional = true, .uncounted = true, .is_named = true, .wake = WAKE_LATER},
    [LH_EVENT_AWAITED] = {.optional = true, .uncounted = true, .wake = WAKE_LATER},
    [LH_EVENT_VICTIMS] = {.uncounted = true},
    [LH_EVENT_REPEATED] = {.wake = WAKE},
};

/* With the stack, of whatever language. What was read as one looked whether the thread is in its
 * loop is there already. */
static void fill_frames(struct lh_record *record, const struct lh_call_copy *copy)
{
    bool has_view = copy->view != NULL && copy->view->store != NULL;
    struct lh_view opened = {0};
    if ((copy->python_thread != 0 || copy->isolate != 0) && !has_view)
        opened = lh_view_of_process();
    const struct lh_view *view = has_view ? copy->view : &opened;
    fill_stack(view, record, copy);
    if (copy->python_thread != 0 && handlings[record->type].is_named)
        name_python(view, record, copy->tid, copy->python_thread, record->thread);
    lh_view_close(&opened);
}

void lh_record_begin_apart(struct lh_record *record, enum lh_event type,
                           const struct lh_call_copy *copy, uint64_t elapsed_ns, bool own)
{
    memset(&record->type, 0,
           offsetof(struct lh_record, resource) - offsetof(struct lh_record, type));
    record->type = type;
    record->tid = copy->tid;
    record->uid = (uint32_t)lh_syscall0(SYS_geteuid);
    record->time_ns = lh_clock_ns(CLOCK_REALTIME);
    record->elapsed_ns = elapsed_ns;
    record->span_ns = elapsed_ns;
    record->call = copy->call;
    record->group = LH_GROUP_OTHER;
    record->reason = LH_REASON_THRESHOLD;
    record->noise_on = lh_noise_set_now();
    record->found = LH_FOUND_BY_CALL;
    record->fd = -1;
    record->system_call = -1;
    lh_resource_fill(&record->resource, LH_OPERAND_NONE, 0, 0, own);
    record->running = 0;
    fill_thread_name(record, copy, own);
    memset(&record->stall, 0, sizeof(record->stall));
    lh_tags_fill(record, copy->tid, own);
    fill_frames(record, copy);
    if (own)
        say_doubt();
}

/* Where a place is told once nothing is lost: the program waits until the reader has made room, as
 * long as one reads, or is still to come. One that has made none in all that time is not waited for
 * again. */
#define ROOM_WAIT_NS (5 * LH_NS_PER_S)
#define ROOM_LOOK_NS (20 * LH_NS_PER_MS)
static struct lh_record *wait_for_room(struct lh_ring *ring, uint32_t stack_bytes)
{
    static _Atomic uint64_t stuck_at; /* how far it had read, plus 1 */
    struct lh_record *record = NULL;
    uint32_t written = atomic_load(&ring->written);
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + ROOM_WAIT_NS;
    while (record == NULL && atomic_load(&stuck_at) != (uint64_t)written + 1 &&
           lh_clock_ns(CLOCK_MONOTONIC) < end) {
        lh_wake_reader(ring);
        lh_futex_wait(&ring->written, written, ROOM_LOOK_NS, true);
        record = lh_ring_reserve(ring, stack_bytes);
        if (atomic_load(&ring->written) != written)
            end = lh_clock_ns(CLOCK_MONOTONIC) + ROOM_WAIT_NS;
        written = atomic_load(&ring->written);
    }
    atomic_store(&stuck_at, record == NULL ? (uint64_t)written + 1 : 0);
    return record;
}

/* Strict mode tells calls that did not last, of which there may be any number. Where that is each
 * of them, and nobody waits for room, some is left to what did. */
static bool is_short(enum lh_event type, uint64_t elapsed_ns)
{
    return type == LH_EVENT_BLOCK && elapsed_ns < lh_options.threshold_ns &&
           !lh_options_tell_once(&lh_options);
}

static bool has_room(const struct lh_ring *ring, enum lh_event type, uint64_t elapsed_ns)
{
    if (handlings[type].optional)
        return lh_ring_has_room(ring);
    return !is_short(type, elapsed_ns) || lh_ring_has_spare(ring);
}

static struct lh_record *reserve(struct lh_ring *ring, enum lh_event type, uint64_t elapsed_ns,
                                 uint32_t stack_bytes, bool may_wait)
{
    const struct handling *handling = &handlings[type];
    struct lh_record *record =
        has_room(ring, type, elapsed_ns) ? lh_ring_reserve(ring, stack_bytes) : NULL;
    if (record == NULL && may_wait && !handling->optional && lh_options_tell_once(&lh_options))
        record = wait_for_room(ring, stack_bytes);
    if (record == NULL && !handling->uncounted)
        atomic_fetch_add(&ring->totals.dropped, 1);
    return record;
}

/* Does somebody read `start` and `loop` events at once (JSON, or under `loophound run`), so that a
 * collector is wanted before there is a block? */
static bool shows_loops(void)
{
    return lh_image.run_socket[0] != '\0' || lh_options_format(&lh_options) == LH_FORMAT_JSON;
}

static bool is_to_wake(const struct lh_ring *ring, const struct handling *handling, bool is_read)
{
    switch (handling->wake) {
    case WAKE:
        return true;
    case WAKE_IF_READ:
        return is_read;
    case WAKE_IF_SHOWN:
        return is_read ? !lh_ring_has_room(ring) : shows_loops();
    default:
        return false;
    }
}

static void hand_over(struct lh_ring *ring, struct lh_record *record)
{
    uint32_t type = record->type; /* shared: the program can write to it by mistake */
    const struct handling *handling = &handlings[type < LH_EVENT_COUNT ? type : LH_EVENT_LOST];
    lh_ring_commit(ring, record);
    bool is_read = atomic_load(&ring->attached) != 0;
    if (is_to_wake(ring, handling, is_read))
        lh_wake_reader(ring);
}

struct lh_record *lh_record_begin(enum lh_event type, const struct lh_call_copy *copy,
                                  uint64_t elapsed_ns, bool own)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct lh_record *record =
        ring != NULL ? reserve(ring, type, elapsed_ns, lh_options.stack_bytes, own) : NULL;
    if (record != NULL)
        lh_record_begin_apart(record, type, copy, elapsed_ns, own);
    return record;
}

void lh_record_publish(struct lh_record *record)
{
    hand_over(atomic_load(&lh_process->ring), record);
}

void lh_record_publish_apart(const struct lh_record *record)
{
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    struct lh_record *copy =
        ring != NULL ? reserve(ring, record->type, record->elapsed_ns, record->stack_length, false)
                     : NULL;
    size_t start = offsetof(struct lh_record, type);
    if (copy == NULL)
        return;
    memcpy((char *)copy + start, (const char *)record + start,
           offsetof(struct lh_record, stack) - start + record->stack_length);
    hand_over(ring, copy);
}

bool lh_rate_take(struct lh_slot *slot, enum lh_rate_kind kind)
{
    if (lh_options.rate_window_ns == 0 || lh_options_tell_once(&lh_options))
        return true;
    uint64_t window = (uint64_t)lh_clock_ns(CLOCK_MONOTONIC) / lh_options.rate_window_ns + 1;
    if (atomic_exchange(&slot->rate_window, window) != window)
        for (int i = 0; i < LH_RATE_COUNT; i++)
            atomic_store(&slot->rate_used[i], 0);
    if (atomic_fetch_add(&slot->rate_used[kind], 1) < lh_options.rate_reports)
        return true;
    atomic_fetch_add(&slot->skipped, 1);
    return false;
}

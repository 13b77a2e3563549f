/* SPDX-License-Identifier: Apache-2.0 */
/* The library's state: one struct per thread, one slot per loop thread, one struct per process.
 *
 * The slots and the process struct live in one private mapping marked MADV_WIPEONFORK: in a child
 * all of it reads as zero, so that a child of fork (also of a raw clone) never believes it is its
 * parent, and what its inherited thread still stores goes to its own memory. */
#ifndef LH_PRELOAD_STATE_STATE_H
#define LH_PRELOAD_STATE_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/ring.h"
#include "common/units.h"
#include "preload/python/place.h"
#include "preload/state/poll_wait.h"
#include "preload/sys/compiler.h"
#include "preload/sys/memory.h"
#include "preload/sys/view.h"
#include "preload/v8/engine.h"

#define LH_SLOTS       4096 /* most loop threads of one process; a page none uses takes no memory */
#define LH_BIRTHS      256  /* threads started by loop threads that are remembered */
#define LH_CHAIN       64   /* return addresses of a park that are: chain.h */
#define LH_FORMER_SETS 3    /* loops of one thread after each other, beside the latest */
#define LH_MARKED_ALL  UINT64_MAX
#define LH_TOLD_PLACES 4096 /* most places that are told once in a scope of strict mode */

#define LH_CLOCKS 12 /* clockid_t from CLOCK_REALTIME to CLOCK_TAI: clock_gettime(2) */

/* Where a wrapper was called, as a stack grows downwards: a greater frame is a caller's. */
struct lh_call_site {
    uintptr_t frame; /* address of the wrapper's frame */
    uintptr_t site;  /* the program's return address */
};

/* A return address on a stack. */
struct lh_return {
    uintptr_t at; /* where it stands */
    uintptr_t to; /* what it says; 0: none */
};

/* The function that runs a thread's loop, by return addresses: see chain.h. All 0: not known. */
struct lh_loop_function {
    uintptr_t at;   /* where on the stack it keeps where it returns to */
    uintptr_t from; /* where it returns to … */
    uintptr_t into; /* … and where what parks returns to in it */
};

/* A file's code in memory. */
struct lh_code {
    uintptr_t from;
    size_t size; /* bytes; 0: none */
};

/* Where a thread has stood by on a futex, and whose futexes it has woken: see in_loop.h. */
#define LH_WOKEN 4
struct lh_wakes {
    uint64_t iteration_id;
    uint32_t count; /* in that iteration; the latest LH_WOKEN are known */
    uintptr_t addresses[LH_WOKEN];
};

/* A thread that a loop thread has started: see births.h. */
struct lh_birth {
    _Atomic uint32_t tid; /* 0: none, or being written */
    _Atomic uint32_t starter;
    _Atomic uint64_t iteration_id; /* the starter's */
    _Atomic uintptr_t base;
};

/* One call of an iteration, added up. */
struct lh_call_sum {
    uint32_t call;
    uint32_t count;
    uint64_t tsc; /* lh_counter() steps */
};

/* Where the time of the iteration that runs now has gone so far, as its wrappers saw it. Written by
 * the loop thread alone, also in the sampling signal's handler. */
struct lh_accounts {
    _Atomic uint64_t
        iteration_id; /* whose accounts these are; not slot->iteration_id: there are none yet */
    /* Read by the watchdog, too, which sees them empty if it sees the iteration. */
    uint64_t reported_ns;   /* told by its blocks, or not wanted by the user */
    uint64_t gil_tsc;       /* steps in waits for CPython's GIL */
    uint64_t calls_tsc;     /* steps in other calls … */
    uint64_t unsampled_tsc; /* … and since the last sample of such a call */
    uint32_t call_count;
    struct lh_call_sum calls[LH_STALL_CALLS];
};

/* The accounts at the latest sample of code that ran; the next one stands for what was added. */
struct lh_running {
    uint64_t iteration_id;
    uint64_t at;           /* lh_counter() */
    uint64_t cpu_ns;       /* the thread's CPU clock */
    uint64_t run_delay_ns; /* its waits for a processor */
    uint64_t calls_ns;     /* in calls of this iteration, and in waits for the GIL */
};

/* What the watchdog read of a thread in an iteration that it found to be long: the accounts as they
 * were when the iteration began, as near as that can be had. Valid for the iteration
 * `iteration_id`. */
struct lh_baseline {
    _Atomic uint64_t iteration_id;
    uint64_t cpu_ns;               /* the thread's CPU clock */
    uint64_t run_delay_ns;         /* waits for a processor; LH_UNKNOWN: the kernel is silent */
    _Atomic uint64_t major_faults; /* of the thread; LH_UNKNOWN as above, or it is not older than
                                      a tick yet */
    uint64_t throttled_ns;         /* of its cgroup; LH_UNKNOWN as above */
};

/* Where a loop's parks are on its thread's stack, and which function runs it: see home.h. */
struct lh_slot_home {
    uintptr_t park;          /* the frame of which the collector was asked */
    uint32_t asked;          /* the id of the question; 0: none */
    uint32_t questions;      /* asked so far */
    uint32_t refusals;       /* parks at which there was no room for one */
    uint32_t studied;        /* iterations that are still to be looked at closely */
    uint32_t calls;          /* timed in the latest of them */
    _Atomic uint32_t begins; /* of the answer's frames, the innermost that has been seen to stay */
    _Atomic uint32_t inside; /* iterations in which that was so */
    _Atomic uint32_t intact; /* the innermost frame that was there when it was seen outside … */
    _Atomic uint64_t outside_in; /* … in this iteration … */
    _Atomic uint64_t left;       /* … the one in which it has not come back since */
    _Atomic uint64_t inside_in;  /* the latest iteration in which it was seen inside, in a call */
    _Atomic uintptr_t stack; /* the thread's stack pointer, as a signal found it; 0: not known */
    _Atomic uint32_t exits;  /* 1: it has called exit(3) */
};

/* What a thread waits in, past libc. */
struct lh_waited_in {
    _Atomic uint32_t version; /* version.h */
    uint64_t iteration_id;
    int32_t number;  /* of the system call */
    uintptr_t first; /* its first argument */
};

/* What is known of a loop's parks that no wrapper sees. Written by the watchdog, but for two. */
struct lh_inlined {
    _Atomic uint32_t is;        /* 1: the watchdog says when this thread parks … */
    _Atomic uint32_t met;       /* … and 1 once the thread itself knows its slot; by its owner */
    _Atomic uint64_t stands_by; /* the iteration in which it stands by, plus 1: by its owner, see
                                   loop/standby.h */
    _Atomic uint64_t ended;     /* the latest iteration that one of the two has ended */
    uintptr_t pc;               /* behind the instruction by which it parks */
    int64_t trip;               /* the watchdog's descriptor of its tripwire, plus 1; 0: none */
    _Atomic uint64_t looked_at; /* lh_counter() at the latest look at it … */
    uint64_t seq;               /* … which wrapped call it was in, 0: none … */
    uint64_t slices;            /* … how often it had been given a processor … */
    long number;                /* … and, if it waited, in which system call, else -1 … */
    uintptr_t sp;               /* … made from where */
};

/* Whose reports LOOPHOUND_RATE counts apart: what lasted the threshold is not left out for what did
 * not, which strict mode may be told to report call by call. */
enum lh_rate_kind { LH_RATE_LONG, LH_RATE_SHORT, LH_RATE_COUNT };

/* A loop thread. The first part is written by its owner on every call and read by the watchdog,
 * which takes what it read as valid when `seq` and `sp` did not change meanwhile. */
struct lh_slot {
    _Atomic uint64_t seq;          /* number of the latest call */
    _Atomic uintptr_t sp;          /* stack pointer inside its wrapper; 0: no call is in flight */
    uint64_t start;                /* lh_counter() when it began */
    uint64_t operand;              /* what it works on: enum lh_operand says how to read it */
    uint32_t call;                 /* lh_call_info() */
    _Atomic uint32_t parked;       /* 1: waiting for events in its park */
    _Atomic uint64_t marked;       /* by the watchdog: the call (its seq) that was in flight at a
                                      tick; LH_MARKED_ALL: each call of this iteration */
    uint64_t iteration_start;      /* lh_counter() when the iteration began … */
    _Atomic uint64_t iteration_id; /* … and its number; 0: before the first park */
    struct lh_registers registers; /* inside the wrapper, for unwinding */
    uint64_t allow_start;          /* lh_counter() when the outermost allow scope was opened */
    struct lh_accounts accounts;
    struct lh_running running;
    struct lh_waited_in waited_in; /* at the watchdog's latest look that found it waiting so */

    /* The iteration that is told as going on, by its owner or by the watchdog, whoever comes first:
     * its number in the upper half, the id of its stall in the lower one (0: left out) … */
    _Atomic uint64_t progress;
    _Atomic uint64_t progress_next_ns; /* … and its age when it is told again */

    /* Written by the watchdog, read by the owner. */
    _Atomic uint64_t reported_seq;  /* the call that has been reported in flight … */
    uint64_t reported_id;           /* … under this id */
    _Atomic uint64_t noted_seq;     /* the call of which it has noted … */
    struct lh_waited_for noted;     /* … whom it waits for … */
    _Atomic uint32_t noted_version; /* … both of one version: version.h */
    struct lh_baseline baseline;

    /* Set when the thread becomes a loop thread. */
    _Atomic uint32_t tid;           /* 0: the slot is free */
    int32_t epfd;                   /* the loop's own epoll set, or ring; -1: none (yet) */
    struct lh_call_site park;       /* the outermost place where it has parked on that */
    int32_t former[LH_FORMER_SETS]; /* sets that were its own before, and are open; -1: none */
    struct lh_anchor anchor;        /* where it parks in poll or select, without an epoll set */
    struct lh_python_place place; /* where it was, by its Python functions, when it parked there */
    bool stays;              /* declared one: stays a loop thread when its epoll set is closed */
    uintptr_t python_thread; /* its PyThreadState; 0: none */
    uintptr_t isolate;       /* of V8, that it runs; 0: none */

    /* The owner's own, see standby.h. */
    uintptr_t park_frame; /* where on its stack it parked last; 0: not yet */
    bool awaits_victims;  /* reports of this iteration are waiting for them: see ready.h */

    int64_t clock_ns[LH_CLOCKS]; /* strict mode: what it last read of each; 0: nothing yet */

    /* See standby.h; its owner's. */
    uint64_t came_at;    /* lh_counter() when the thread came to its epoll set, at the latest */
    uint64_t started_in; /* the iteration in which it last started a thread */
    struct lh_wakes wakes;
    uintptr_t stands_by_at; /* the futex where it last stood by, having its place; 0: not yet */
    uintptr_t stood_at[2];  /* futexes: where it last stood by, having no loop, and before that */
    uintptr_t came_from[2]; /* the same, when it came back to a set; 0: it had none to come from */
    _Atomic uint32_t gave_away; /* 1: another one has its place there, until it comes back */

    /* See chain.h; its owner's. */
    uint32_t chain_length;
    struct lh_return chain[LH_CHAIN]; /* innermost first */
    struct lh_loop_function loop;     /* as it was when the thread last started one */

    /* See pollers.h; its owner's. */
    bool preempts;
    struct lh_code library;     /* that runs a loop of its own in a Python program */
    struct lh_code python_code; /* the interpreter's */

    /* A loop that parks by system calls of its own, past libc: see watchdog/inline_watch.h. */
    struct lh_inlined inlined;

    /* See in_loop.h; whoever looks. */
    _Atomic uint64_t inside_at;      /* lh_counter() when it was last seen below its loop */
    _Atomic uint64_t left_iteration; /* the one in which it was seen outside */
    struct lh_slot_home home;

    _Atomic uint64_t reports;     /* stalls of its thread that the watchdog has seen the end of */
    _Atomic uintptr_t labels_at;  /* the program's, which may be gone: tags.c; 0: none */
    _Atomic uint32_t allow_depth; /* open loophound_allow_begin() scopes */
    _Atomic uint64_t rate_window; /* LOOPHOUND_RATE: number of the current window … */
    _Atomic uint32_t rate_used[LH_RATE_COUNT]; /* … and how many reports it has had of each kind */
    _Atomic uint32_t skipped;                  /* reports left out since the last one */

    /* The watchdog's own. */
    uint64_t next_report_ns; /* elapsed time at which the call in flight is reported again */
    uint64_t next_report_seq;
    uint64_t told_call;  /* id of the latest call in flight of which it knows that it ended … */
    uint32_t told_stall; /* … and of the latest iteration */
    uint64_t tick_at;    /* lh_counter() at its last look … */
    uint64_t tick_iteration; /* … the iteration in which it saw that busy … */
    uint64_t tick_turn;      /* … the one that it saw at all … */
    uint64_t tick_cpu_ns;    /* … what the thread's CPU clock said then … */
    uint64_t begin_cpu_ns;   /* … and must have said when that iteration began */
    uint64_t tick_delay_ns;  /* the same of its waits for a processor; LH_UNKNOWN as above */
    uint64_t begin_delay_ns;
    uint64_t begin_throttled_ns; /* of its cgroup, when that iteration began; LH_UNKNOWN as above */
    int64_t kept_times;          /* its descriptor of the thread's schedstat, plus 1; 0: none … */
    uint32_t kept_tid;           /* … and whose that is: kept_times.h */

    /* The timer of its samples: see sampler.h. */
    _Atomic int64_t timer;              /* the kernel's number of it, plus 1; 0: none */
    _Atomic uint32_t timer_signal;      /* what it sends */
    bool timer_waits;                   /* the watchdog's: it was put off, for its thread waits */
    _Atomic uint64_t sampled_iteration; /* the iteration that is sampled, by it or otherwise */
    _Atomic uint64_t gil_iteration;     /* the latest that was seen to wait for the GIL … */
    _Atomic uint64_t gil_cpu_ns;        /* … and what its CPU clock said then */
    _Atomic uint64_t seen_iteration;    /* the latest of which a sample was written */
    _Atomic uint64_t no_signal; /* the iteration that gets no signals, and in the low byte why not:
                                   enum lh_no_stack */
} __attribute__((aligned(128)));

/* A place that was told, in strict mode: see places.h. */
struct lh_told_place {
    _Atomic uint64_t id;       /* of its report */
    _Atomic uint64_t again;    /* calls there since … */
    _Atomic uint64_t again_ns; /* … and how long they took */
    uint32_t call;
};

/* After its owner has stored `seq`, and before the fields that go with it: whoever reads one of
 * those and then, behind a fence, `seq` (lh_call_copy_consistent()) sees this `seq` or a later one.
 * The same for what goes with another word that is looked at twice.
 * A store that only releases does not keep later ones behind it (C11 7.17.3); x86-64 does by
 * itself, so that this is no instruction there. */
static inline __attribute__((always_inline)) void lh_slot_fields_follow(void)
{
    atomic_thread_fence(memory_order_release);
}

enum lh_process_state { LH_PROCESS_NEW, LH_PROCESS_STARTING, LH_PROCESS_WATCHED, LH_PROCESS_OFF };

/* Whoever asked may have no patience left before it leaves, and want it back. */
enum lh_watchdog_stop { LH_WATCHDOG_GOES_ON, LH_WATCHDOG_ASKED_TO_END, LH_WATCHDOG_LEAVES };

/* A scout looks for loops in a process that has none yet, and may be made the watchdog. */
enum lh_watchdog_role { LH_WATCHDOG_WATCHES, LH_WATCHDOG_SCOUTS, LH_WATCHDOG_HAS_SCOUTED };

enum lh_watchdog_ready {
    LH_WATCHDOG_STARTING,
    LH_WATCHDOG_READY,
    LH_WATCHDOG_UNABLE,
    LH_WATCHDOG_NO_ROOM, /* RLIMIT_NOFILE */
};

/* This process image. */
struct lh_process {
    _Atomic uint32_t state; /* enum lh_process_state; LH_PROCESS_NEW in a child of fork */
    _Atomic uint32_t pid;   /* 0 in a child of fork */
    struct lh_ring *_Atomic ring;
    _Atomic uint64_t next_id;
    _Atomic uint32_t slots_used;  /* slots ever taken: the watchdog looks at no more */
    _Atomic uint32_t slots_taken; /* now */
    _Atomic uint32_t births_noted;
    _Atomic uint32_t next_home; /* questions asked: home.h */

    /* The watchdog: see watchdog.c. */
    _Atomic uint32_t watchdog_wake;    /* futex: raised to make it look */
    _Atomic uint32_t watchdog_call;    /* 1: it sleeps or is gone; the end of a park calls it */
    _Atomic uint32_t watchdog_stop;    /* enum lh_watchdog_stop */
    _Atomic int watchdog_tid;          /* futex, cleared by the kernel at its end; 0: none */
    _Atomic uint32_t watchdog_busy;    /* a thread is starting or stopping it */
    _Atomic uint32_t watchdog_ready;   /* futex: enum lh_watchdog_ready */
    _Atomic uint32_t watchdog_role;    /* enum lh_watchdog_role */
    _Atomic uint32_t collector_wanted; /* an event waits for a collector */

    _Atomic uint32_t rests; /* 1: loop threads are none for a while: loop/rest.h */

    struct lh_birth births[LH_BIRTHS];

    /* Loops that park past libc. */
    _Atomic uint32_t scouted;      /* 1: this process has been, or is, looked at for such */
    _Atomic uint32_t inline_loops; /* those that were found so far */
    _Atomic uint32_t not_wanted;   /* an epoll set, plus 1, on which a thread waits past libc that
                                      LOOPHOUND_LOOP does not want */
    _Atomic uint32_t filtered;     /* 1: it is under a filter of system calls */

    /* The same number as which place it is; 0: none. */
    _Atomic uint64_t told_keys[LH_TOLD_PLACES];
    struct lh_told_place told_places[LH_TOLD_PLACES];
    _Atomic uint32_t places_told; /* 1: there are any */

    struct lh_slot slots[LH_SLOTS];

    /* The watchdog's own, of which only one runs: what it fills before it knows that it is wanted.
     * Not static: they are large, and a program short of memory must find room for the library. */
    struct lh_record in_flight; /* inflight.c */
    struct lh_record waiting;   /* outside.c */
    struct lh_record recheck;   /* python_twice.c, js_twice.c */
    struct lh_record taken;     /* raw_lines.c */

    struct lh_view_store views[LH_VIEW_STORES];     /* lh_view_of_process() */
    struct lh_v8_scratch v8_scratch[LH_V8_WALKERS]; /* lh_v8_capture() */
};

struct lh_labels;

/* What each of the program's threads has of us. Initial-exec: one load, no call. */
struct lh_thread {
    struct lh_slot *slot; /* NULL: not a loop thread; the only field the fast path looks at */
    uint32_t allow_depth; /* scopes opened while it was no loop thread */
    uint32_t refused;     /* parks in which LOOPHOUND_LOOP did not want it … */
    uint32_t jobs;        /* … and those that were made in a job of a pool of threads */
    uint32_t asked;       /* of how many loops found past libc it knows that it is none */
    struct lh_poll_site poll_sites[LH_POLL_SITES]; /* where it waits in poll and select */
    bool stopped_watchdog;                         /* it ran, and was stopped for that: */
    uintptr_t paused_watchdog; /* frame of the wrapper in which it keeps that from running, or 0 */
    struct lh_slot *ending_slot; /* the loop that ends with the thread: thread_end.h */
    struct lh_slot *resting;     /* the one that it had before it rests: loop/rest.h; NULL: none */
    uint32_t noise_off;          /* enum lh_noise: of its call, by what that works on; it is off */
    _Atomic uint64_t reports;    /* blocks and stalls that it has caused … */
    struct lh_labels *labels;    /* … and what they are labelled with: tags.h; NULL: nothing */
};

extern LH_HIDDEN __thread struct lh_thread lh_self __attribute__((tls_model("initial-exec")));
extern LH_HIDDEN struct lh_process *lh_process; /* NULL until our set-up (setup.h) */

/* Constant after our set-up, also in children. */
extern LH_HIDDEN struct lh_options lh_options;

/* Classes of noise that loophound_noise() has chosen; 0: those of the options. */
extern LH_HIDDEN _Atomic lh_noise_set lh_noise_now;

/* The classes that are on at the moment. */
static inline lh_noise_set lh_noise_set_now(void)
{
    lh_noise_set now = atomic_load_explicit(&lh_noise_now, memory_order_relaxed);
    return now != 0 ? now : lh_options.noise;
}

/* Not 0: every call on a loop thread takes its end time, because marks cannot be relied on: strict
 * mode, a threshold below four ticks, or no watchdog at the moment; very many loops; or a watchdog
 * that comes too late. */
enum { LH_TIMED_WITHOUT_MARKS = 1, LH_TIMED_IN_CROWD = 2, LH_TIMED_STARVED = 4 };
extern LH_HIDDEN _Atomic uint32_t lh_time_all_calls;

/* One clear line on the program's standard error, at most once for each `once` flag. */
void lh_say_once(_Atomic uint32_t *once, const char *text);

/* Takes a free slot for the calling thread; NULL: all are taken, which is said once. */
struct lh_slot *lh_slot_take(uint32_t tid);
void lh_slot_release(struct lh_slot *slot);

/* Is this the address of a slot? Any thread. */
bool lh_slot_is(const void *address);

/* Takes note of the thread's PyThreadState, and of its isolate of V8: the interpreter may have come
 * to life after the first park, and a thread that Python did not make has another one each time it
 * visits Python. Runs on the slot's own thread. */
void lh_slot_note_python(struct lh_slot *slot);

/* The thread has read this of a clock, or 0 where that is not known. On the slot's own thread. */
static inline void lh_slot_note_clock(struct lh_slot *slot, clockid_t clock,
                                      const struct timespec *now)
{
    if (clock >= 0 && clock < LH_CLOCKS)
        slot->clock_ns[clock] = now->tv_sec * LH_NS_PER_S + now->tv_nsec;
}

static inline int64_t lh_slot_clock_ns(const struct lh_slot *slot, clockid_t clock)
{
    return slot != NULL && clock >= 0 && clock < LH_CLOCKS ? slot->clock_ns[clock] : 0;
}

/* The id of the next report. */
static inline uint64_t lh_report_id(void)
{
    return atomic_fetch_add(&lh_process->next_id, 1) + 1;
}

/* The process whose state this is: false in a child of fork or vfork. Costs a system call. */
bool lh_process_is_ours(void);

/* How a capture sees memory, until lh_view_close(). Any thread. */
static inline struct lh_view lh_view_of_process(void)
{
    struct lh_view view = {.read = lh_memory_read_self, .parts = lh_memory_parts_self};
    lh_view_open(&view, lh_process->views);
    return view;
}

/* The same for a thread that looks at its own Python frames. Strict mode looks at so many calls
 * that it reads them directly, without a store. Elsewhere the kernel is asked: a thread state that
 * an embedder has freed is no reason for a program in production to end. */
static inline struct lh_view lh_view_of_own(void)
{
    struct lh_view near = {.read = lh_memory_read_near};
    if (lh_options.strict != 0)
        return near;
    return lh_view_of_process();
}

#endif

/* The library's state: one struct per thread, one slot per loop thread, one struct per process.
 *
 * The slots and the process struct live in one private mapping marked MADV_WIPEONFORK: in a child
 * all of it reads as zero, so that a child of fork (also of a raw clone) never believes it is its
 * parent, and what its inherited thread still stores goes to its own memory. */
#ifndef LH_PRELOAD_STATE_H
#define LH_PRELOAD_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/ring.h"
#include "preload/anchor.h"
#include "preload/turns.h"

#define LH_SLOTS       256 /* most loop threads of one process */
#define LH_FORMER_SETS 3   /* loops of one thread after each other, beside the latest */
#define LH_MARKED_ALL  UINT64_MAX

#define LH_LIKELY(x)   __builtin_expect(!!(x), 1)
#define LH_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LH_HIDDEN      __attribute__((visibility("hidden")))

/* Where a wrapper was called, as a stack grows downwards: a greater frame is a caller's. */
struct lh_place {
    uintptr_t frame; /* address of the wrapper's frame */
    uintptr_t site;  /* the program's return address */
};

/* One call of an iteration, added up. */
struct lh_call_sum {
    uint32_t call;
    uint32_t count;
    uint64_t counted; /* lh_counter() steps */
};

/* Where the time of the iteration that runs now has gone so far, as its wrappers saw it. Written by
 * the loop thread alone, also in the sampling signal's handler. */
struct lh_iteration {
    uint64_t turn;      /* whose accounts these are; not slot->turn: there are none yet */
    uint64_t told_ns;   /* told by its blocks, or not wanted by the user */
    uint64_t gil;       /* steps in waits for CPython's GIL */
    uint64_t unsampled; /* steps in other calls, since the last sample */
    uint32_t call_count;
    struct lh_call_sum calls[LH_STALL_CALLS];
};

/* What the watchdog read of a thread in an iteration that it found to be long: the accounts as they
 * were when the iteration began, as near as that can be had. Valid for the iteration `turn`. */
struct lh_baseline {
    _Atomic uint64_t turn;
    uint64_t cpu_ns;       /* the thread's CPU clock */
    uint64_t run_delay_ns; /* waits for a processor; LH_UNKNOWN: the kernel is silent */
    uint64_t major_faults; /* of the thread; LH_UNKNOWN as above */
    uint64_t throttled_ns; /* of its cgroup; LH_UNKNOWN as above */
};

/* A loop thread. The first part is written by its owner on every call and read by the watchdog,
 * which takes what it read as valid when `seq` and `sp` did not change meanwhile. */
struct lh_slot {
    _Atomic uint64_t seq;          /* number of the latest call */
    _Atomic uintptr_t sp;          /* stack pointer inside its wrapper; 0: no call is in flight */
    uint64_t start;                /* lh_counter() when it began */
    uint64_t subject;              /* what it works on: enum lh_subject says how to read it */
    uint32_t call;                 /* enum lh_call */
    _Atomic uint32_t parked;       /* 1: waiting for events in its park */
    _Atomic uint64_t marked;       /* by the watchdog: the call (its seq) that was in flight at a
                                      tick; LH_MARKED_ALL: each call of this iteration */
    uint64_t turn_start;           /* lh_counter() when the iteration began … */
    _Atomic uint64_t turn;         /* … and its number; 0: before the first park */
    struct lh_registers registers; /* inside the wrapper, for unwinding */
    uint64_t allow_start;          /* lh_counter() when the outermost allow scope was opened */
    struct lh_iteration iteration;

    /* The iteration that is told as going on, by its owner or by the watchdog, whoever comes first:
     * its number in the upper half, the id of its stall in the lower one (0: left out) … */
    _Atomic uint64_t told;
    _Atomic uint64_t told_next_ns; /* … and its age when it is told again */

    /* Written by the watchdog, read by the owner. */
    _Atomic uint64_t reported_seq; /* the call that has been reported in flight … */
    uint64_t reported_id;          /* … under this id */
    struct lh_baseline baseline;

    /* Set when the thread becomes a loop thread. */
    _Atomic uint32_t tid;           /* 0: the slot is free */
    int32_t epfd;                   /* the loop's own epoll set, or ring; -1: none (yet) */
    struct lh_place park;           /* the outermost place where it has parked on that */
    int32_t former[LH_FORMER_SETS]; /* sets that were its own before, and are open; -1: none */
    struct lh_anchor anchor;        /* where it parks in poll or select, without an epoll set */
    bool stays;              /* declared one: stays a loop thread when its epoll set is closed */
    uintptr_t python_thread; /* its PyThreadState; 0: none */

    /* The owner's own, see standby.h. */
    uintptr_t park_frame; /* where on its stack it parked last; 0: not yet */
    bool awaits_victims;  /* reports of this iteration are waiting for them: see victims.h */

    _Atomic uint32_t allow_depth; /* open loophound_allow_begin() scopes */
    _Atomic uint64_t rate_window; /* LOOPHOUND_RATE: number of the current window … */
    _Atomic uint32_t rate_used;   /* … and how many reports it has had */
    _Atomic uint32_t skipped;     /* reports left out since the last one */

    /* The watchdog's own. */
    uint64_t next_report_ns; /* elapsed time at which the call in flight is reported again */
    uint64_t next_report_seq;
    uint64_t look_turn;     /* the iteration it saw at its last look … */
    uint64_t look_cpu_ns;   /* … what the thread's CPU clock said then … */
    uint64_t turn_cpu_ns;   /* … and must have said when that iteration began */
    uint64_t look_delay_ns; /* the same of its waits for a processor; LH_UNKNOWN as above */
    uint64_t turn_delay_ns;
    uint64_t turn_throttled_ns; /* of its cgroup, when that iteration began; LH_UNKNOWN as above */

    /* The timer of its samples: see sampler.h. */
    _Atomic int64_t timer; /* the kernel's number of it, plus 1; 0: none; -1: none to be had */
    _Atomic uint64_t sampled_turn; /* the iteration it was set for */
} __attribute__((aligned(128)));

enum lh_process_state { LH_PROCESS_NEW, LH_PROCESS_STARTING, LH_PROCESS_WATCHED, LH_PROCESS_OFF };

enum lh_watchdog_ready { LH_WATCHDOG_STARTING, LH_WATCHDOG_READY, LH_WATCHDOG_UNABLE };

/* This process image. */
struct lh_process {
    _Atomic uint32_t state; /* enum lh_process_state; LH_PROCESS_NEW in a child of fork */
    _Atomic uint32_t pid;   /* 0 in a child of fork */
    struct lh_ring *_Atomic ring;
    _Atomic uint64_t next_id;
    _Atomic uint32_t slots_used; /* slots ever taken: the watchdog looks at no more */

    /* The watchdog: see watchdog.c. */
    _Atomic uint32_t watchdog_wake;  /* futex: raised to make it look */
    _Atomic uint32_t watchdog_call;  /* 1: it sleeps or is gone; the end of a park calls it */
    _Atomic uint32_t watchdog_stop;  /* 1: asked to end */
    _Atomic int watchdog_tid;        /* futex, cleared by the kernel at its end; 0: none */
    _Atomic uint32_t watchdog_busy;  /* a thread is starting or stopping it */
    _Atomic uint32_t watchdog_ready; /* futex: enum lh_watchdog_ready */
    _Atomic uint32_t attach_wanted;  /* an event waits for a collector */

    struct lh_slot slots[LH_SLOTS];

    /* The watchdog's own, of which only one runs: what it fills before it knows that it is wanted.
     * Not static: they are large, and a program short of memory must find room for the library. */
    struct lh_record in_flight; /* inflight.c */
    struct lh_record waiting;   /* stall_wait.c */
    struct lh_record held;      /* holder.c: the second look at a running thread */
    struct lh_record taken;     /* raw.c */
};

/* What each of the program's threads has of us. Initial-exec: one load, no call. */
struct lh_thread {
    struct lh_slot *slot; /* NULL: not a loop thread; the only field the fast path looks at */
    uint32_t allow_depth; /* scopes opened while it was no loop thread */
    uint32_t refused;     /* parks in which LOOPHOUND_LOOP did not want it */
    struct lh_turns turns[LH_TURN_SITES]; /* where it waits in poll and select */
    uintptr_t holds_watchdog; /* frame of the wrapper in which it keeps that from running, or 0 */
};

extern LH_HIDDEN __thread struct lh_thread lh_self __attribute__((tls_model("initial-exec")));
extern LH_HIDDEN struct lh_process *lh_process; /* NULL until our set-up (setup.h) */

/* Constant after our set-up, also in children. */
extern LH_HIDDEN struct lh_options lh_options;

/* 1: every call on a loop thread takes its end time, because marks cannot be relied on: strict
 * mode, a threshold below four ticks, or no watchdog at the moment. */
extern LH_HIDDEN _Atomic uint32_t lh_time_all_calls;

/* One clear line on the program's standard error, at most once for each `once` flag. */
void lh_say_once(_Atomic uint32_t *once, const char *text);

/* Takes a free slot for the calling thread; NULL: all are taken. */
struct lh_slot *lh_slot_take(uint32_t tid);
void lh_slot_release(struct lh_slot *slot);

/* The process whose state this is: false in a child of fork or vfork. Costs a system call. */
bool lh_process_is_ours(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The ring: shared memory (a memfd) through which a program's events reach the collector.
 *
 * A header, then room for records. Their order is a queue of LH_RING_CELLS words, with many writers
 * and one reader, without locks (D. Vyukov's bounded MPMC queue, one consumer); a word says where
 * the record is. Writers run on the program's threads, in signal handlers and in the watchdog;
 * where there is no room the event is lost and counted. The reader is the collector, which treats
 * all of it as hostile: it copies a record out, then checks it with lh_record_check().
 *
 * A writer claims what a record may need at most (LOOPHOUND_STACK_BYTES), fills it in there, and
 * gives back what it did not need. The lowest room that is free is taken first, and memory that
 * nobody has written to is not there: what is not needed at the same time costs addresses only.
 *
 * What must be seen in which order, also where a processor reorders loads and stores (C11,
 * 5.1.2.4):
 * - A record is whole before its cell is full: lh_ring_commit() releases the cell, lh_ring_take()
 *   acquires it.
 * - It was copied before its cell and its place are free: the reader releases both, and a writer
 *   acquires what it takes: the cell in take_position(), each word of the place in lh_room_claim().
 * - `head` may be seen late or early: it only says where to look. Whose turn a cell is, it says
 *   itself, in the word that also says where the record is, so that these are never of two laps.
 * - Cell and place are freed one after the other, and a writer may see them in either order: with
 *   one of them only it finds the ring full, which is right at any time.
 * - No reader sleeps while there is a record: a writer adds to `wake` and then reads `sleeps`, the
 *   reader sets `sleeps` and then has the kernel compare `wake` (futex(2)). All four are in one
 *   order (seq_cst; the kernel's comparison is behind a full barrier), so that one of the two sees
 *   what the other has done.
 * - What is counted (totals) is read as numbers, each by itself.
 * Tests: tests/unit/test_ring.c, and test_order.c, which `make stress` repeats for minutes. */
#ifndef LH_COMMON_RING_H
#define LH_COMMON_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/calls.h"
#include "common/options.h"
#include "common/processor.h"
#include "common/ring_room.h"
#include "common/script_flaws.h"

#define LH_RING_MAGIC    0x32676e6972706f6cULL /* "lopring2" */
#define LH_RING_BYTES    16777216u             /* most addresses that all of it takes */
#define LH_RING_CELLS    2048u                 /* most records at once; a power of two */
#define LH_RING_UNIT     1024u                 /* bytes; records begin at multiples of it */
#define LH_RING_CALM     4u                    /* of so many waiting records a question is one */
#define LH_RING_TOLD     1024u               /* most calls and iterations told in flight at once */
#define LH_PYTHON_FRAMES LH_STACK_FRAMES_MAX /* most Python frames in one record */
#define LH_JS_FRAMES     LH_STACK_FRAMES_MAX /* most JavaScript frames */
#define LH_STRING_BYTES  16384u              /* their file and function names */
#define LH_THREAD_NAME   64u                 /* a holder's may be Python's; TASK_COMM_LEN is 16 */
#define LH_RUN_BYTES     17u                 /* of the name of a run: hexadecimal digits, a NUL */
#define LH_HOMES         256u                /* most places of parks that are known at once */
#define LH_HOME_FRAMES   24u                 /* most frames of one of them */

enum lh_event {
    LH_EVENT_LOOP,     /* a loop thread was found */
    LH_EVENT_BLOCK,    /* a call on a loop thread took long, or could have */
    LH_EVENT_INFLIGHT, /* the same, not yet returned */
    LH_EVENT_STALL,    /* an iteration took long, and its blocks do not tell why */
    LH_EVENT_STALLING, /* the same, still going on */
    LH_EVENT_SAMPLE,   /* where a loop thread was in an iteration that may become a stall */
    LH_EVENT_HOLDER,   /* who has what a loop thread waits for, and where that thread is */
    LH_EVENT_AWAITED,  /* what that is in Python's terms, and who may have it */
    LH_EVENT_VICTIMS,  /* what a loop thread's park found ready after its reports */
    LH_EVENT_HOME,     /* where a loop thread parks: which function runs the loop? */
    LH_EVENT_REPEATED, /* how often a place was met again that was told once (strict mode) */
    LH_EVENT_LOST,     /* a report that never became whole, and was counted as dropped */
    LH_EVENT_COUNT
};

/* Is it the end of a call or iteration, which may have been told in flight? */
static inline bool lh_event_ends(uint32_t type)
{
    return type == LH_EVENT_BLOCK || type == LH_EVENT_STALL;
}

enum lh_reason { LH_REASON_THRESHOLD, LH_REASON_STRICT };

/* How a loop thread was found. */
enum lh_found { LH_FOUND_BY_CALL, LH_FOUND_BY_API, LH_FOUND_BY_OPTION, LH_FOUND_COUNT };

enum lh_resource_kind {
    LH_RESOURCE_NONE,
    LH_RESOURCE_SOCKET,    /* fd, nonblocking, address: the peer's sockaddr */
    LH_RESOURCE_FILE,      /* fd or -1, text: the path */
    LH_RESOURCE_NAME,      /* text: the host name */
    LH_RESOURCE_LOCK,      /* number: its address */
    LH_RESOURCE_PID,       /* number: the pid, as asked for (-1: any child) */
    LH_RESOURCE_DURATION,  /* number: the requested time in ns; -1: for ever */
    LH_RESOURCE_THREAD,    /* number: its tid; 0: not known */
    LH_RESOURCE_FUTEX,     /* number: its address; a lock, or anything else */
    LH_RESOURCE_CONDITION, /* number: its address */
    LH_RESOURCE_COUNT
};

#define LH_WAITED_FIRST 3u /* of the descriptors of one wait, so many are told */

/* The child or the thread that is waited for. */
struct lh_waited_for {
    int32_t id; /* pid or tid; 0: none, or not known */
    uint8_t length;
    char text[123]; /* its command line or name, cut where it did not fit */
};

/* One more of them. */
struct lh_waited_too {
    int32_t fd;
    uint8_t kind; /* LH_RESOURCE_SOCKET or LH_RESOURCE_FILE */
    uint8_t length;
    char text[110]; /* as in struct lh_resource; a sockaddr_un fits */
};

struct lh_resource {
    uint8_t kind;       /* enum lh_resource_kind */
    int8_t nonblocking; /* O_NONBLOCK of a socket: 0, 1, or -1 if unknown */
    uint16_t length;    /* bytes of text or address in use */
    int32_t fd;         /* -1: none */
    int64_t number;
    char text[512]; /* text without a NUL, or a sockaddr; cut where it did not fit */

    /* Of a wait for descriptors, whose first one is above. `number` is its time-out in ns; -1: for
     * ever. */
    uint32_t waited_count; /* 0: no such wait */
    uint32_t too_count;
    struct lh_waited_too too[LH_WAITED_FIRST - 1];

    struct lh_waited_for who;
};

/* One Python frame, innermost first. Strings are offsets of NUL-terminated UTF-8 in `strings`. */
struct lh_python_frame {
    uint64_t boundary; /* not 0: an address in the C stack frame of the interpreter loop that runs
                          this Python frame and all before it that no earlier boundary closed */
    uint32_t line;     /* 0: unknown */
    uint16_t file;
    uint16_t function;
};

/* What runs a function of JavaScript. */
enum lh_js_kind {
    LH_JS_UNKNOWN,
    LH_JS_INTERPRETED,
    LH_JS_BASELINE, /* Sparkplug */
    LH_JS_MAGLEV,
    LH_JS_TURBOFAN,
    LH_JS_BUILTIN, /* V8's own: Array.map, JSON.parse */
    LH_JS_KIND_COUNT
};

/* What its line is. */
enum lh_js_how {
    LH_JS_NOWHERE,
    LH_JS_EXACT,
    LH_JS_START, /* where the function begins */
    LH_JS_HOW_COUNT
};

/* What a function of JavaScript is at, where that can be told of one of V8's own. */
enum lh_js_about {
    LH_JS_ABOUT_NOTHING,
    LH_JS_ABOUT_REGEXP, /* a regular expression: `text` is its source */
    LH_JS_ABOUT_TEXT,   /* a text of `amount` bytes, as V8 has it in memory */
    LH_JS_ABOUT_ARRAY,  /* an array of `amount` elements */
    LH_JS_ABOUT_COUNT
};

/* One JavaScript frame, innermost first. Strings as above; "": none. */
struct lh_js_frame {
    uint64_t fp;            /* of the native frame that it stands for: those with the same one were
                               inlined into the last of them */
    uint64_t source;        /* where the script's characters are in the program's memory */
    uint32_t source_length; /* in characters, of one or two bytes each; 0: not known */
    uint32_t source_check;  /* lh_js_check() of those from `position` on */
    uint32_t position;      /* in the script's source, in characters; `how` says of what */
    uint32_t line;          /* 0: unknown */
    uint32_t column;        /* from 1 on, in UTF-16 units */
    uint16_t script;
    uint16_t function;
    uint8_t kind;      /* enum lh_js_kind */
    uint8_t how;       /* enum lh_js_how */
    uint8_t about;     /* enum lh_js_about */
    uint8_t has_class; /* 1: `of_class` is the class of what it was called on */
    uint16_t of_class;
    uint16_t text;
    uint64_t amount;
    uint8_t is_wide; /* a character of the source has two bytes */
    uint8_t unused[7];
};

/* The asyncio task that ran. Strings as above, where there are any. */
struct lh_python_task {
    uint8_t has_name;
    uint8_t has_coroutine;
    uint8_t in_coroutine; /* there is a coroutine, or a generator, among the frames */
    uint16_t name;
    uint16_t coroutine; /* its qualified name */
};

/* What a thread waits for in Python's terms. */
enum lh_awaited_kind {
    LH_AWAITED_NONE,
    LH_AWAITED_LOCK, /* threading.Lock: nobody's by itself */
    LH_AWAITED_RLOCK,
    LH_AWAITED_SEMAPHORE,
    LH_AWAITED_CONDITION,
    LH_AWAITED_EVENT,
    LH_AWAITED_BARRIER,
    LH_AWAITED_QUEUE,
    LH_AWAITED_THREAD, /* that it ends */
    LH_AWAITED_FUTURE, /* of concurrent.futures */
    LH_AWAITED_COUNT
};

#define LH_CANDIDATES 12u /* most threads that may have it */

/* A thread that may have what is waited for; its frames follow those of the one before. */
struct lh_candidate {
    uint32_t tid;
    uint32_t python_count;
    uint8_t within;   /* it is in a `with` statement of it … */
    uint8_t names;    /* … or has it in a local variable … */
    uint8_t deadlock; /* … and waits for the waiting thread */
    char thread[LH_THREAD_NAME];
};

struct lh_awaited {
    uint8_t kind;     /* enum lh_awaited_kind */
    uint8_t is_own;   /* the waiting thread has it itself, or is to run it */
    uint8_t for_ever; /* it waits without a time-out */
    uint8_t has_coroutine;
    uint8_t is_suspended; /* a coroutine of its own loop has it: `task` and the only frame */
    uint16_t coroutine;   /* of a future: what is to set its result; in `strings` */
    uint32_t candidate_count;
    uint64_t address;                              /* of the object */
    struct lh_candidate candidates[LH_CANDIDATES]; /* who comes first is likeliest */
};

/* Instructions of the program: [start, start + size). */
struct lh_code_range {
    uint64_t start;
    uint64_t size; /* 0: nothing */
};

/* One call that was made in a stall, added up. */
struct lh_stall_call {
    uint32_t call; /* lh_call_info() */
    uint32_t count;
    uint64_t total_ns;
};

#define LH_STALL_CALLS 8u         /* most different calls that are added up */
#define LH_SAMPLE_NS   10000000u  /* the time one sample stands for */
#define LH_UNKNOWN     UINT64_MAX /* of a time or number below */
#define LH_NOT_COUNTED UINT32_MAX

/* Where the time of an iteration went. */
struct lh_stall {
    uint64_t iteration_id; /* the iteration's number on its thread; its samples have the same */
    uint64_t oncpu_ns;
    uint64_t blocked_ns;
    uint64_t runqueue_ns;  /* ready to run, but without a processor */
    uint64_t throttled_ns; /* part of runqueue_ns: its cgroup had used up its share (cpu.max) */
    uint64_t gil_ns;       /* waiting for CPython's GIL */
    uint64_t major_faults;
    uint64_t last_call_ns; /* not 0: before its end began its last call, whose end nobody saw */
    uint32_t last_call;    /* enum lh_call */
    uint32_t call_count;
    struct lh_stall_call calls[LH_STALL_CALLS];
};

#define LH_TEST_BYTES        256u /* the name of a test, and its NUL */
#define LH_LABELS_MAX        8u   /* of one thread */
#define LH_LABEL_KEY_BYTES   65u
#define LH_LABEL_VALUE_BYTES 129u
#define LH_TAGS_BYTES        (LH_TEST_BYTES + LH_LABELS_MAX * (LH_LABEL_KEY_BYTES + LH_LABEL_VALUE_BYTES))

/* What the program says about its reports: loophound_mark(), loophound_label(). */
struct lh_tags {
    uint8_t has_test;
    uint8_t label_count;
    uint16_t length; /* of `text`: strings, each with its NUL: the test, key, value, key, value … */
    char text[LH_TAGS_BYTES];
};

/* Why there is no stack: of an iteration that is a stall, or of any event (the last one). */
enum lh_no_stack {
    LH_STACK_KNOWN,
    LH_NO_STACK_LATE,   /* it was over before anybody could look */
    LH_NO_STACK_ASKED,  /* no signal was to be used */
    LH_NO_STACK_SIGNAL, /* there is none that the program does not use, or block */
    LH_NO_STACK_TIMER,  /* the kernel gave no timer */
    LH_NO_STACK_DENIED, /* the process may not read its own memory */
    LH_NO_STACK_COUNT
};

/* A committed record may be packed: `tags.text`, `python`, `js`, `strings` and `stack` are as long
 * as they are used, one behind the other. What lh_ring_take() copies is not. */
struct lh_record {
    uint64_t position; /* set by reserve, used by commit … */
    uint32_t units;    /* … as is this: how much was claimed for it … */
    uint32_t ring;     /* … and by the number of which ring */
    uint32_t packed;   /* 1: by commit */

    uint32_t type;           /* enum lh_event */
    uint32_t tid;            /* kernel thread id */
    uint32_t uid;            /* effective user id */
    int64_t time_ns;         /* CLOCK_REALTIME of the event */
    uint64_t id;             /* of a block; the same in its inflight events */
    uint64_t elapsed_ns;     /* of a sample: the time it stands for */
    uint64_t again;          /* of LH_EVENT_REPEATED: how often, after the report of that id */
    uint64_t span_ns;        /* from its begin to time_ns; of a stall with what its blocks tell */
    uint32_t call;           /* lh_call_info(); for LH_EVENT_LOOP the park it was found by */
    uint32_t group;          /* enum lh_group, read and write on a socket being NETWORK */
    uint32_t reason;         /* enum lh_reason */
    uint32_t noise;          /* of a block, enum lh_noise: its class is off, or a rule with `!` has
                                it told */
    uint32_t noise_on;       /* the lh_noise_set that held for it */
    uint32_t found;          /* enum lh_found, for LH_EVENT_LOOP */
    int32_t error;           /* errno of the call; 0: none, or not known yet */
    int32_t fd;              /* for LH_EVENT_LOOP: the epoll set; -1: none */
    int32_t system_call;     /* its number, of a wait that did not go through libc; -1: none */
    uint32_t waits_for_gil;  /* of an iteration that goes on: 1 if it waits for CPython's GIL */
    uint32_t no_stack;       /* enum lh_no_stack: why there is none */
    uint32_t waiter_tid;     /* of a holder: the loop thread that waits for it … */
    uint32_t deadlock;       /* … and 1 if it waits for that in turn … */
    uint32_t computes;       /* … or 1 if it ran: its machine stack is not known */
    uint32_t ready;          /* of victims: how many; LH_NOT_COUNTED: not known … */
    uint32_t ready_more;     /* … and 1 if there may have been more of them */
    uint32_t awaits_victims; /* 1: these are told later, in a record of their own */
    uint32_t python_cut;     /* 1: there were Python frames further out for which was no room */
    uint32_t js_cut;         /* the same of JavaScript frames */
    uint32_t skipped;        /* reports of this thread left out before this one (LOOPHOUND_RATE) */
    char thread[LH_THREAD_NAME];
    struct lh_resource resource;
    struct lh_stall stall; /* of a stall; of a sample `iteration_id` alone */

    struct lh_registers registers;
    uint32_t running; /* 1: the registers are the program's own, of where it was interrupted; 0:
                         those of our wrapper */
    uint64_t stack_address; /* where stack[0] was; 0: no stack was taken */
    uint32_t stack_length;
    uint32_t python_count;
    uint32_t js_count;
    uint32_t strings_length;
    struct lh_python_task task;
    struct lh_awaited awaited;        /* kind LH_AWAITED_NONE: the record is not about that */
    struct lh_code_range python_loop; /* size not 0: no boundaries are known, but each Python frame
                                         has one native frame of this function */
    struct lh_tags tags;              /* from its text on all of it may be packed */
    struct lh_python_frame python[LH_PYTHON_FRAMES];
    struct lh_js_frame js[LH_JS_FRAMES];
    char strings[LH_STRING_BYTES];
    uint8_t stack[LH_STACK_BYTES]; /* last: there is room for what was asked for */
};

/* What is known of the function that runs a loop. */
enum lh_home_kind {
    LH_HOME_GUESSED, /* it is the one that parks, or one further out */
    LH_HOME_TURNS,   /* known by its name; it may be called for one turn of the loop at a time */
    LH_HOME_RUNS,    /* known by its name; when it has returned the loop is not running */
};

/* The collector's answer to a LH_EVENT_HOME: the frames below which the loop's parks are, innermost
 * first. A function has not returned as long as the word of the stack to which it will return, and
 * those of its callers, are what they were. */
struct lh_home {
    _Atomic uint32_t answers; /* which question, by its id; 0: none (yet) */
    uint32_t kind;            /* enum lh_home_kind */
    uint32_t count;
    uint32_t main; /* the frame of main(); `count`: not among them */
    struct lh_home_frame {
        uint64_t at; /* where on the stack its return address is … */
        uint64_t returns_to;
    } frames[LH_HOME_FRAMES]; /* … from the function that runs the loop on, or may do so */
};

/* Totals of one process. They live in shared memory so that they outlive a crash. */
struct lh_totals {
    _Atomic uint64_t loops;      /* loop threads found */
    _Atomic uint64_t blocks;     /* blocks counted, reported or not */
    _Atomic uint64_t stalls;     /* stalls counted, reported or not */
    _Atomic uint64_t stalled_ns; /* time of all stalls, without the blocks in them */
    _Atomic uint64_t dropped;    /* reports lost: the ring was full, or over the rate */
    _Atomic uint64_t blocked_ns; /* time of all blocks */
    _Atomic uint64_t
        quiet[LH_NOISE_COUNT]; /* calls that would count but for their class of noise */
    _Atomic uint64_t flaws[LH_SCRIPT_FLAW_COUNT]; /* scripts; only the collector counts them */
    struct {
        _Atomic uint64_t count;
        _Atomic uint64_t total_ns;
    } by_call[LH_CALLS_MAX];
};

/* Is it a descriptor whose other end a child has? */
static inline bool lh_resource_has_child(const struct lh_resource *resource)
{
    return resource->who.id > 0 &&
           (resource->kind == LH_RESOURCE_FILE || resource->kind == LH_RESOURCE_SOCKET);
}

/* What is known of it, as a resource of its own. */
static inline void lh_resource_of_too(struct lh_resource *resource, const struct lh_waited_too *too)
{
    *resource = (struct lh_resource){
        .kind = too->kind, .nonblocking = -1, .length = too->length, .fd = too->fd};
    memcpy(resource->text, too->text, too->length);
}

/* In place of the reader's number, which it cannot be: the program reads the ring itself. */
#define LH_READER_IS_PROGRAM 0x3fffffffu /* FUTEX_TID_MASK */

struct lh_ring {
    uint64_t magic;
    uint64_t bytes; /* size of the whole mapping */
    uint32_t pid;
    uint32_t call_count; /* lh_call_count(): its calls have these numbers; the rest is never used */
    int64_t started_ns;  /* CLOCK_REALTIME when the ring was made */
    struct lh_options options;
    char exe[1024];  /* /proc/self/exe */
    char cwd[1024];  /* where relative file names start */
    char argv[2048]; /* what it was started with, each ended by a NUL; cut where it is longer */
    uint32_t argv_length;
    char python[16];    /* version of CPython; "" if there was none when the ring was made */
    char warnings[512]; /* what cannot be seen, lines; "" if nothing */

    /* Only the collector's copy has these; "": not known. */
    char run[LH_RUN_BYTES]; /* which run it is of */
    char boot[40];          /* which boot of the machine it is of */
    char root[1024];        /* the directory of the project that the program is of */
    char runtime[24];       /* of which language, by its name in src/runtimes.def … */
    char version[16];       /* … and of that, as its file's path has it */

    uint64_t first;  /* position that was not given out by a ring that this one took over from */
    uint32_t number; /* how many it took over from */

    _Atomic uint64_t head __attribute__((aligned(64))); /* next position to write */
    _Atomic uint32_t wake;     /* futex: raised after each commit; the collector waits on it */
    _Atomic uint32_t sleeps;   /* 1: it does, or is about to: only then it is to be woken */
    _Atomic uint32_t closing;  /* 1: the program exits normally */
    _Atomic uint32_t attached; /* 1: a collector reads this ring, or has just been given it */
    _Atomic uint32_t reader; /* the thread that reads it, and FUTEX_OWNER_DIED once that has ended,
                                by whatever: get_robust_list(2); 0: nobody has taken it yet */
    _Atomic uint32_t written __attribute__((aligned(64))); /* futex: low half of the position up to
                                                             which the collector has written out */
    _Atomic uint32_t drained; /* futex: 1 once the collector has written the summary */
    struct lh_totals totals __attribute__((aligned(64)));
    _Atomic uint64_t told[LH_RING_TOLD]; /* what has been told in flight, without an end: told.h */
    struct lh_home homes[LH_HOMES]; /* written by the collector; a question has the one of its id,
                                       modulo LH_HOMES */
    _Atomic uint64_t cells[LH_RING_CELLS] __attribute__((aligned(64))); /* see ring.c */
    struct lh_room room __attribute__((aligned(64)));
    uint8_t records[LH_ROOM_UNITS * LH_RING_UNIT] __attribute__((aligned(64)));
};

_Static_assert(sizeof(struct lh_ring) / LH_RING_UNIT <= LH_RING_BYTES / LH_RING_UNIT,
               "the ring keeps to its addresses");

/* What the library sends over the collector's socket (SOCK_SEQPACKET, SCM_RIGHTS: the ring's memfd
 * and, if there is one, a descriptor of /proc/self/maps), or without descriptors to say only "I was
 * loaded". */
struct lh_hello {
    uint64_t magic; /* LH_RING_MAGIC */
    uint32_t bytes; /* sizeof(struct lh_ring): the layout check */
    uint32_t pid;
};

#define LH_RING_PLACE ((1ULL << 24) - 1) /* of a cell: where its record is */

/* The word of a cell that is free for this position; see ring.c. */
static inline uint64_t lh_ring_free_cell(uint64_t position)
{
    return position / LH_RING_CELLS * 2 * (LH_RING_PLACE + 1);
}

/* Makes zeroed shared memory a ring. */
void lh_ring_init(struct lh_ring *ring, uint32_t pid, const struct lh_options *options);

/* What was copied when a ring took over from another. */
struct lh_ring_copied {
    uint64_t head;
    struct lh_totals totals;
};

/* Copies what is in `old` to `ring`, which is all zeroes and takes its place in memory afterwards.
 * Threads may write to `old` meanwhile: a record that is not whole is dropped, LH_EVENT_LOST. */
void lh_ring_take_over(struct lh_ring *ring, struct lh_ring *old, struct lh_ring_copied *copied);

/* Once `ring` is in the place of `old`, and `old` elsewhere, so that nobody writes to it any more:
 * adds what was counted there since, and counts as dropped what was written. Empties `old`, which a
 * reader may still have. */
void lh_ring_settle(struct lh_ring *ring, struct lh_ring *old, const struct lh_ring_copied *copied);

/* A free record with room for `stack_bytes` of a stack, or NULL when there is none. Every reserved
 * record must be committed. Any thread, signal handlers too. */
struct lh_record *lh_ring_reserve(struct lh_ring *ring, uint32_t stack_bytes);

/* Hands the record to the reader; it is not the caller's any more. The caller wakes the reader
 * (futex on `wake`) afterwards, if that sleeps. */
void lh_ring_commit(struct lh_ring *ring, struct lh_record *record);

/* Reader: copies the record at *position into *copy and frees its place. False: there is none yet.
 * What cannot be a record is copied as one that lh_record_check() refuses. */
bool lh_ring_take(struct lh_ring *ring, uint64_t *position, struct lh_record *copy);

/* The first position that no reader has taken yet: where a reader begins, also after another one.
 * Whatever a hostile ring says, at most LH_RING_CELLS before its head. */
uint64_t lh_ring_resume(const struct lh_ring *ring);

/* Is less than half of the ring in use? The other half is not for samples and holders. Any thread.
 */
bool lh_ring_has_room(const struct lh_ring *ring);

/* Is there more room than is left to reports that must not be lost for others? Any thread. */
bool lh_ring_has_spare(const struct lh_ring *ring);

/* Is next to nothing in the ring? Then a question is soon answered. Any thread. */
bool lh_ring_is_calm(const struct lh_ring *ring);

/* Where there is no reader: frees the oldest records as long as they are samples. */
void lh_ring_forget_samples(struct lh_ring *ring);

/* Is every length, offset and number of this copied record in its bounds? */
bool lh_record_check(const struct lh_record *record);

#endif

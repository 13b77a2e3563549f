/* SPDX-License-Identifier: Apache-2.0 */
/* A record: one thing that the program tells the collector, as it lies in the ring (ring.h). It has
 * no pointers, and nothing in it may be believed before lh_record_check() has seen it. */
#ifndef LH_COMMON_RECORD_H
#define LH_COMMON_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/calls.h"
#include "common/options.h"
#include "common/processor.h"

#define LH_PYTHON_FRAMES LH_STACK_FRAMES_MAX /* most Python frames in one record */
#define LH_JS_FRAMES     LH_STACK_FRAMES_MAX /* most JavaScript frames */
#define LH_STRING_BYTES  16384u              /* their file and function names */
#define LH_THREAD_NAME   64u                 /* a holder's may be Python's; TASK_COMM_LEN is 16 */

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

/* Is every length, offset and number of this copied record in its bounds? */
bool lh_record_check(const struct lh_record *record);

#endif

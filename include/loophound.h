/* SPDX-License-Identifier: Apache-2.0 */
/* loophound: what blocks an event loop. The C interface for programs that want to help.
 *
 * A program needs none of this to be watched. Nothing has to be linked either: include this header
 * and call. Where libloophound.so is in the process (LD_PRELOAD, `loophound run`) the calls reach
 * it; where it is not they do nothing and return 0. The look-up is one load from the program's own
 * global offset table, so a call that does nothing costs about a nanosecond.
 *
 * All functions are safe to call from any thread at any time after main() has begun; none is
 * async-signal-safe. From other languages use the exported symbols of the same names, as in
 * Python: ctypes.CDLL(None).loophound_loop_enter() (AttributeError: the library is not there).
 *
 * C99 or later and C++11 or later, gcc and clang, Linux on x86-64 and 64-bit Arm. Elsewhere every
 * call does nothing.
 */
#ifndef LOOPHOUND_H
#define LOOPHOUND_H

#include <stdint.h>

#define LOOPHOUND_VERSION_MAJOR 0
#define LOOPHOUND_VERSION_MINOR 1
#define LOOPHOUND_VERSION_PATCH 0
/* The version of this header; loophound_version() is that of the library in the process. */
#define LOOPHOUND_VERSION       "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Says that the calling thread runs an event loop, from now until loophound_loop_leave() or its
 * end: for loops that do not wait in epoll_wait, or with LOOPHOUND_LOOP=none, where nothing else
 * makes a loop thread. Calling it again on the same thread changes nothing.
 * Returns 0, or -ENOMEM when the memory for reports cannot be had (the thread is not watched). */
int loophound_loop_enter(void);

/* Says that the calling thread runs no event loop any more; it is not watched from here on, until
 * it enters again or (with LOOPHOUND_LOOP=auto) waits for events again. A thread that runs none is
 * left as it is. Returns 0. */
int loophound_loop_leave(void);

/* Opens a scope in which nothing is reported for the calling thread: a call that is known to block
 * and meant to. Scopes nest; each begin needs its end on the same thread. Calls that began before
 * the scope are reported as ever. Return 0; an end without a begin returns -EINVAL and does
 * nothing. */
int loophound_allow_begin(void);
int loophound_allow_end(void);

/* Says which test runs, in the whole process: each report that begins from now on has `id` as its
 * member "test", until the next call; a child that is forked meanwhile keeps it. NULL: none runs
 * any more. `id` is copied, up to its 255th byte. Strict mode, which tells a place once, tells it
 * once in each test. Returns 0. */
int loophound_mark(const char *id);

/* Says which classes of noise are kept quiet from now on in the whole process, as LOOPHOUND_NOISE
 * does: "tests,-import". NULL: those of LOOPHOUND_NOISE again. Strict mode alone knows noise.
 * Returns 0, or -EINVAL when this cannot be; then nothing is changed. */
int loophound_noise(const char *list);

/* Labels the reports of the calling thread that begin from now on: member "labels", an object of
 * strings, such as {"route": "/price"}. A second call with the same key replaces its value; a value
 * of NULL takes the label away. Both are copied. At most 8 labels, keys of 64 and values of 128
 * bytes.
 * Returns 0, -EINVAL without a key, -ENOSPC beyond that (nothing is changed), or -ENOMEM. */
int loophound_label(const char *key, const char *value);

/* Labels of another kind, for what changes with each task or request: `pairs` is a key, its value,
 * the next key ... and an empty key, each with its NUL ("route\0/price\0"). They are not copied:
 * the memory stays as it is until the next call of the thread. They take the place of those of the
 * call before, NULL of all; those of loophound_label() stay beside them, with the same limits for
 * both together. What does not fit is left out. Costs one store; of a thread that runs no loop,
 * nothing. Returns 0. */
int loophound_labels(const char *pairs);

/* How many blocks and stalls the calling thread has caused so far: also those that were over the
 * rate, at a place that strict mode has told before, or are not written yet. For tests that compare
 * it before and after. */
uint64_t loophound_count(void);

/* The same for the whole process, since its first loop thread: 0 before that, and in a child of
 * fork until it has one. Costs a few loads: who has seen a number need not look for reports until
 * there is another one. A block is counted when it ends, a stall too. */
uint64_t loophound_reports(void);

/* How many reports of this process are lost so far: over the rate (LOOPHOUND_RATE), or nobody took
 * them in time. */
uint64_t loophound_dropped(void);

/* Waits until everything that this process reported before the call has been written to the output,
 * by the collector or, where there is none, as raw lines; at most 5 seconds. For tests, and before
 * a deliberate _exit() or exec. Returns 0, -ETIMEDOUT after the 5 seconds, or -ENOTCONN when
 * nothing could have been reported yet: this process has had no loop thread. */
int loophound_flush(void);

/* The same, but waits at most so many milliseconds; 0 only looks. Returns what loophound_flush()
 * does, or -EINVAL when the time is negative. */
int loophound_flush_wait(int milliseconds);

/* The version of the library in this process, as "0.1.0": a constant string, never freed.
 * NULL when the library is not there. */
const char *loophound_version(void);

#ifdef __cplusplus
}
#endif

/* The library itself is compiled with this defined, and so is a program that links with
 * -lloophound and wants plain function calls. */
#ifndef LOOPHOUND_LINKED

/* Why not `loophound_flush ? loophound_flush() : 0` with a weak declaration: in an executable that
 * is not position-independent (-no-pie) the linker settles a weak symbol which it cannot find at
 * link time to 0 for good, and a library preloaded later is never called. An entry in the global
 * offset table is filled in by the dynamic linker at start in every kind of executable
 * (ELF x86-64 psABI, R_X86_64_GLOB_DAT; AAELF64, R_AARCH64_GLOB_DAT), with 0 where nobody defines
 * the symbol. */
#if defined(__x86_64__) && defined(__linux__)
#define LOOPHOUND_FIND(function, symbol)                                                           \
    __asm__(".weak " symbol "\n\tmovq " symbol "@GOTPCREL(%%rip), %0" : "=r"(function))
#elif defined(__aarch64__) && defined(__linux__)
#define LOOPHOUND_FIND(function, symbol)                                                           \
    __asm__(".weak " symbol "\n\tadrp %0, :got:" symbol "\n\tldr %0, [%0, :got_lo12:" symbol "]"   \
            : "=r"(function))
#else
#define LOOPHOUND_FIND(function, symbol) ((void)(function))
#endif

#define LOOPHOUND_DEFINE(type, name, parameters, arguments)                                        \
    static __inline__ __attribute__((__unused__)) type name##_if_there parameters                  \
    {                                                                                              \
        type(*function) parameters = 0;                                                            \
        LOOPHOUND_FIND(function, #name);                                                           \
        return function ? function arguments : 0;                                                  \
    }

LOOPHOUND_DEFINE(int, loophound_loop_enter, (void), ())
LOOPHOUND_DEFINE(int, loophound_loop_leave, (void), ())
LOOPHOUND_DEFINE(int, loophound_allow_begin, (void), ())
LOOPHOUND_DEFINE(int, loophound_allow_end, (void), ())
LOOPHOUND_DEFINE(int, loophound_mark, (const char *id), (id))
LOOPHOUND_DEFINE(int, loophound_noise, (const char *list), (list))
LOOPHOUND_DEFINE(int, loophound_label, (const char *key, const char *value), (key, value))
LOOPHOUND_DEFINE(int, loophound_labels, (const char *pairs), (pairs))
LOOPHOUND_DEFINE(uint64_t, loophound_count, (void), ())
LOOPHOUND_DEFINE(uint64_t, loophound_reports, (void), ())
LOOPHOUND_DEFINE(uint64_t, loophound_dropped, (void), ())
LOOPHOUND_DEFINE(int, loophound_flush, (void), ())
LOOPHOUND_DEFINE(int, loophound_flush_wait, (int milliseconds), (milliseconds))
LOOPHOUND_DEFINE(const char *, loophound_version, (void), ())

#define loophound_loop_enter()             loophound_loop_enter_if_there()
#define loophound_loop_leave()             loophound_loop_leave_if_there()
#define loophound_allow_begin()            loophound_allow_begin_if_there()
#define loophound_allow_end()              loophound_allow_end_if_there()
#define loophound_mark(id)                 loophound_mark_if_there(id)
#define loophound_noise(list)              loophound_noise_if_there(list)
#define loophound_label(key, value)        loophound_label_if_there(key, value)
#define loophound_labels(pairs)            loophound_labels_if_there(pairs)
#define loophound_count()                  loophound_count_if_there()
#define loophound_reports()                loophound_reports_if_there()
#define loophound_dropped()                loophound_dropped_if_there()
#define loophound_flush()                  loophound_flush_if_there()
#define loophound_flush_wait(milliseconds) loophound_flush_wait_if_there(milliseconds)
#define loophound_version()                loophound_version_if_there()

#undef LOOPHOUND_DEFINE

#endif /* LOOPHOUND_LINKED */
#endif

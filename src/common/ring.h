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
 * - `head` may be seen late or early: it only says where to look, and about how many there are.
 * Whose turn a cell is, it says itself, in the word that also says where the record is, so that
 * these are never of two laps. Who subtracts `written` from it reads that first: it is never
 * beyond.
 * - Cell and place are freed one after the other, and a writer may see them in either order: with
 *   one of them only it finds the ring full, which is right at any time.
 * - No reader sleeps while there is a record: a writer adds to `wake` and then reads `sleeps`, the
 *   reader sets `sleeps` and then has the kernel compare `wake` (futex(2)). All four are in one
 *   order (seq_cst; the kernel's comparison is behind a full barrier), so that one of the two sees
 *   what the other has done. The reader knows `wake` from before it looked for a record.
 * - What is counted (totals) is read as numbers, each by itself; but who has seen a block or a
 * stall counted finds its record, for these are counted after it (release). Tests:
 * tests/unit/test_ring.c, and test_order.c, which `make stress` repeats for minutes. */
#ifndef LH_COMMON_RING_H
#define LH_COMMON_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/calls.h"
#include "common/options.h"
#include "common/record.h"
#include "common/ring_room.h"
#include "common/script_flaws.h"

#define LH_RING_MAGIC  0x32676e6972706f6cULL /* "lopring2" */
#define LH_RING_BYTES  16777216u             /* most addresses that all of it takes */
#define LH_RING_CELLS  2048u                 /* most records at once; a power of two */
#define LH_RING_UNIT   1024u                 /* bytes; records begin at multiples of it */
#define LH_RING_CALM   4u                    /* of so many waiting records a question is one */
#define LH_RING_TOLD   1024u                 /* most calls and iterations told in flight at once */
#define LH_RUN_BYTES   17u                   /* of the name of a run: hexadecimal digits, a NUL */
#define LH_HOMES       256u                  /* most places of parks that are known at once */
#define LH_HOME_FRAMES 24u                   /* most frames of one of them */

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

#endif

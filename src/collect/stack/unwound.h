/* SPDX-License-Identifier: Apache-2.0 */
/* Unwindings that are remembered, so that an equal stack is recognised before it is unwound.
 *
 * An unwinding is decided by what it has read: registers, words of the stack, and the files of the
 * map. What it reads first is the same for any stack, and each read tells what it reads next. So it
 * is noted as it reads, and believed where all of that is the same again, to the last word. What
 * else is on the stack, such as variables, may be what it likes.
 *
 * Bounded in number and in bytes; what was not asked for longest makes room. One thread's. */
#ifndef LH_COLLECT_STACK_UNWOUND_H
#define LH_COLLECT_STACK_UNWOUND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"

#define LH_UNWOUND_WORDS 2048u          /* an unwinding that reads more is not remembered */
#define LH_UNWOUND_MAX   256u           /* most that are remembered … */
#define LH_UNWOUND_BYTES (256u * 1024u) /* … and what all of them may take */

/* Where the frame pointer of a frame comes from. It decides nothing about the stack: a function may
 * use the register for anything, so its value may differ, and is read once more. */
enum lh_fp_from { LH_FP_FIXED, LH_FP_FROM_REGISTER, LH_FP_FROM_STACK };

struct lh_native_frame {
    uint64_t pc;    /* where it goes on: a return address, unless `exact` */
    uint64_t sp;    /* the stack pointer at `pc` */
    uint64_t fp;    /* the frame pointer there, if the code keeps one; 0: not known */
    uint64_t fp_at; /* with LH_FP_FROM_STACK: where on the stack that was */
    bool exact;     /* interrupted by a signal: `pc` is the instruction itself */
    uint8_t fp_from;
};

/* What an unwinding has read of a record. */
struct lh_unwound_reads {
    bool too_many;
    uint64_t registers; /* a bit for each of libunwind's numbers */
    uint32_t count;
    struct lh_unwound_word {
        uint64_t at;
        uint64_t value;
    } words[LH_UNWOUND_WORDS];
};

/* What it came to. */
struct lh_unwound {
    uint32_t count;
    bool beyond;     /* it ended where the copy of the stack did */
    uint64_t number; /* another one for each that is remembered; 0: it is not */
    struct lh_native_frame *frames;
};

struct lh_unwound_book;

struct lh_unwound_book *lh_unwound_book_new(void); /* NULL: out of memory */
void lh_unwound_book_free(struct lh_unwound_book *book);

/* Notes a word of the stack, or a register, that decides how the unwinding goes on. */
void lh_unwound_word(struct lh_unwound_reads *reads, uint64_t at, uint64_t value);
void lh_unwound_register(struct lh_unwound_reads *reads, int number);

/* The unwinding of an equal stack in this generation of the map, with the frames of this record.
 * Valid until the next call; NULL: there is none. Forgets those of other generations. */
const struct lh_unwound *lh_unwound_find(struct lh_unwound_book *book,
                                         const struct lh_record *record, uint32_t generation);

/* Remembers one: of the record, in the generation that was asked for last. Returns its number, or 0
 * where it cannot be remembered. */
uint64_t lh_unwound_keep(struct lh_unwound_book *book, const struct lh_record *record,
                         const struct lh_unwound_reads *reads, const struct lh_unwound *unwound);

/* Forgets all. What comes later has other numbers. */
void lh_unwound_forget(struct lh_unwound_book *book);

/* How often one was found, and how often not. */
struct lh_unwound_counts {
    uint64_t found;
    uint64_t missed;
    uint32_t kept; /* now */
    uint32_t bytes;
};
struct lh_unwound_counts lh_unwound_counts(const struct lh_unwound_book *book);

/* The word at this address of the copied stack. False: it is not in it. */
bool lh_stack_word(const struct lh_record *record, uint64_t address, uint64_t *value);

#endif

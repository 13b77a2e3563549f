/* SPDX-License-Identifier: Apache-2.0 */
/* See unwound.h. Runs in the collector, on the thread of a ring. */
#include "collect/stack/unwound.h"

#include <stdlib.h>
#include <string.h>

#include "collect/stack/unwind_registers.h"
#include "common/mix.h"

#define SLOTS     256u /* a power of two */
#define LOOKED_AT 16u  /* most unwindings from one place that are compared with a record */
#define REGISTERS 64u  /* those with a bit */

struct kept {
    struct kept *next;  /* of the same slot, last used first … */
    struct kept *newer; /* … and of all, by when they were used */
    struct kept *older;
    uint64_t key;
    struct lh_registers registers;
    uint32_t running;
    uint32_t stack_length;
    uint64_t stack_address;
    uint64_t registers_read;
    uint32_t word_count;
    uint32_t bytes;
    struct lh_unwound unwound;
    struct lh_unwound_word *words;
    struct lh_native_frame frames[]; /* and behind them the words */
};

struct lh_unwound_book {
    uint32_t generation;
    uint64_t last_number;
    struct lh_unwound_counts counts;
    struct kept *newest;
    struct kept *oldest;
    struct kept *slots[SLOTS];
};

struct lh_unwound_book *lh_unwound_book_new(void)
{
    return calloc(1, sizeof(struct lh_unwound_book));
}

bool lh_stack_word(const struct lh_record *record, uint64_t address, uint64_t *value)
{
    uint64_t at = address - record->stack_address;
    if (record->stack_length < sizeof(*value) || at > record->stack_length - sizeof(*value))
        return false;
    memcpy(value, record->stack + at, sizeof(*value));
    return true;
}

/* ---- what was read ---- */

void lh_unwound_word(struct lh_unwound_reads *reads, uint64_t at, uint64_t value)
{
    if (reads->count == LH_UNWOUND_WORDS) {
        reads->too_many = true;
        return;
    }
    reads->words[reads->count++] = (struct lh_unwound_word){at, value};
}

void lh_unwound_register(struct lh_unwound_reads *reads, int number)
{
    if (number < 0 || number >= (int)REGISTERS)
        reads->too_many = true;
    else
        reads->registers |= (uint64_t)1 << number;
}

/* ---- the lists ---- */

static struct kept **slot_of(struct lh_unwound_book *book, uint64_t key)
{
    return &book->slots[key & (SLOTS - 1)];
}

static void unlink_age(struct lh_unwound_book *book, struct kept *kept)
{
    *(kept->newer != NULL ? &kept->newer->older : &book->newest) = kept->older;
    *(kept->older != NULL ? &kept->older->newer : &book->oldest) = kept->newer;
}

static void put_newest(struct lh_unwound_book *book, struct kept *kept)
{
    kept->newer = NULL;
    kept->older = book->newest;
    *(book->newest != NULL ? &book->newest->newer : &book->oldest) = kept;
    book->newest = kept;
}

static void unlink_slot(struct lh_unwound_book *book, struct kept *kept)
{
    struct kept **link = slot_of(book, kept->key);
    while (*link != kept)
        link = &(*link)->next;
    *link = kept->next;
}

static void put_slot(struct lh_unwound_book *book, struct kept *kept)
{
    struct kept **slot = slot_of(book, kept->key);
    kept->next = *slot;
    *slot = kept;
}

static void forget(struct lh_unwound_book *book, struct kept *kept)
{
    unlink_slot(book, kept);
    unlink_age(book, kept);
    book->counts.kept--;
    book->counts.bytes -= kept->bytes;
    free(kept);
}

void lh_unwound_forget(struct lh_unwound_book *book)
{
    struct kept *oldest = book->oldest;
    while (oldest != NULL) {
        struct kept *newer = oldest->newer;
        forget(book, oldest);
        oldest = newer;
    }
}

void lh_unwound_book_free(struct lh_unwound_book *book)
{
    if (book == NULL)
        return;
    lh_unwound_forget(book);
    free(book);
}

/* ---- finding ---- */

/* Where it begins; what is different further on is told by the words. */
static uint64_t key_of(const struct lh_record *record)
{
    uint64_t key = lh_mix(record->registers.pc, record->registers.sp);
    key = lh_mix(key, record->stack_address);
    return lh_mix(key, (uint64_t)record->stack_length << 1 | (record->running != 0));
}

static bool same_registers(const struct kept *kept, const struct lh_record *record)
{
    for (uint64_t left = kept->registers_read; left != 0; left &= left - 1) {
        int number = __builtin_ctzll(left);
        unw_word_t then;
        unw_word_t now;
        if (!lh_unwind_register(&kept->registers, number, &then) ||
            !lh_unwind_register(&record->registers, number, &now) || then != now)
            return false;
    }
    return true;
}

/* What could not be read of the copy then cannot be now: it has the same bounds. */
static bool is_equal(const struct kept *kept, const struct lh_record *record)
{
    if (kept->registers.pc != record->registers.pc || kept->registers.sp != record->registers.sp ||
        kept->running != record->running || kept->stack_address != record->stack_address ||
        kept->stack_length != record->stack_length || !same_registers(kept, record))
        return false;
    for (uint32_t i = 0; i < kept->word_count; i++) {
        uint64_t now;
        if (!lh_stack_word(record, kept->words[i].at, &now) || now != kept->words[i].value)
            return false;
    }
    return true;
}

static void read_frame_pointers(struct kept *kept, const struct lh_record *record)
{
    for (uint32_t i = 0; i < kept->unwound.count; i++) {
        struct lh_native_frame *frame = &kept->frames[i];
        if (frame->fp_from == LH_FP_FROM_REGISTER)
            frame->fp = record->registers.fp;
        else if (frame->fp_from == LH_FP_FROM_STACK &&
                 !lh_stack_word(record, frame->fp_at, &frame->fp))
            frame->fp = 0;
    }
}

static struct kept *look_for(struct lh_unwound_book *book, const struct lh_record *record)
{
    uint64_t key = key_of(record);
    uint32_t left = LOOKED_AT;
    struct kept *kept = *slot_of(book, key);
    while (kept != NULL && left > 0 && (kept->key != key || !is_equal(kept, record))) {
        left -= kept->key == key;
        kept = kept->next;
    }
    return left > 0 ? kept : NULL;
}

const struct lh_unwound *lh_unwound_find(struct lh_unwound_book *book,
                                         const struct lh_record *record, uint32_t generation)
{
    if (book->generation != generation)
        lh_unwound_forget(book);
    book->generation = generation;
    struct kept *kept = look_for(book, record);
    if (kept == NULL) {
        book->counts.missed++;
        return NULL;
    }
    book->counts.found++;
    unlink_slot(book, kept);
    put_slot(book, kept);
    unlink_age(book, kept);
    put_newest(book, kept);
    read_frame_pointers(kept, record);
    return &kept->unwound;
}

/* ---- keeping ---- */

static struct kept *copy(const struct lh_record *record, const struct lh_unwound_reads *reads,
                         const struct lh_unwound *unwound)
{
    size_t frame_bytes = unwound->count * sizeof(*unwound->frames);
    size_t word_bytes = reads->count * sizeof(reads->words[0]);
    struct kept *kept = malloc(sizeof(*kept) + frame_bytes + word_bytes);
    if (kept == NULL)
        return NULL;
    *kept = (struct kept){
        .key = key_of(record),
        .registers = record->registers,
        .running = record->running,
        .stack_length = record->stack_length,
        .stack_address = record->stack_address,
        .registers_read = reads->registers,
        .word_count = reads->count,
        .bytes = (uint32_t)(sizeof(*kept) + frame_bytes + word_bytes),
        .unwound = *unwound,
        .words = (struct lh_unwound_word *)(kept->frames + unwound->count),
    };
    kept->unwound.frames = kept->frames;
    memcpy(kept->frames, unwound->frames, frame_bytes);
    memcpy(kept->words, reads->words, word_bytes);
    return kept;
}

/* For one more. */
static void make_room(struct lh_unwound_book *book, uint32_t bytes)
{
    struct kept *oldest = book->oldest;
    while (oldest != NULL &&
           (book->counts.kept >= LH_UNWOUND_MAX || book->counts.bytes + bytes > LH_UNWOUND_BYTES)) {
        struct kept *newer = oldest->newer;
        forget(book, oldest);
        oldest = newer;
    }
}

uint64_t lh_unwound_keep(struct lh_unwound_book *book, const struct lh_record *record,
                         const struct lh_unwound_reads *reads, const struct lh_unwound *unwound)
{
    struct kept *kept = reads->too_many ? NULL : copy(record, reads, unwound);
    if (kept == NULL)
        return 0;
    make_room(book, kept->bytes);
    kept->unwound.number = ++book->last_number;
    put_slot(book, kept);
    put_newest(book, kept);
    book->counts.kept++;
    book->counts.bytes += kept->bytes;
    return book->last_number;
}

struct lh_unwound_counts lh_unwound_counts(const struct lh_unwound_book *book)
{
    return book->counts;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* loophound report: events read back from JSON Lines. All runs on the command's main thread.
 *
 * What is read may come from anywhere: each member is checked where it is used, and what has the
 * wrong type counts as not there. Lines are read and written by Jansson. */
#ifndef LH_CLI_REPORT_H
#define LH_CLI_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "collect/stack/elf_file.h"
#include "common/event.h"

/* NULL: there is no such member, or it is no string. */
const char *lh_string_of(const json_t *object, const char *key);

/* The files that functions are looked up in. */
struct lh_symbol_files;

/* Looks for modules under their own names and for separate debug files in `directories` (ends in
 * NULL; DIR/.build-id/ab/cdef.debug and DIR/NAME), which outlive the result, then in
 * /usr/lib/debug. Nothing is used whose build-id is another. What is read may have been written by
 * anybody: under a module's own name only a file of root's or the reader's is opened that not
 * everybody may write, and no link. NULL: out of memory. */
struct lh_symbol_files *lh_symbol_files_new(const char *const *directories);
void lh_symbol_files_free(struct lh_symbol_files *files);

/* What stands at this vaddr of the module, innermost first, as lh_elf_symbols() gives it. Returns
 * 0 where no file of this build-id tells a name. */
uint32_t lh_symbol_files_find(struct lh_symbol_files *files, const char *module,
                              const char *build_id, uint64_t vaddr, struct lh_symbol *found);

/* Completes each stack of an event, or one stack, in place: a frame without a function that has a
 * module, an offset and a build-id becomes that function's frame, and those that were inlined into
 * it. `exact`: the innermost address is none to return to. */
void lh_complete_stacks(json_t *event, struct lh_symbol_files *files);
void lh_complete_stack(json_t *stack, bool exact, struct lh_symbol_files *files);

/* Where an event happened. */
struct lh_place {
    struct lh_frame frame; /* the one to look at first: lh_place_of() in frame_kind.h */
    const char *api;       /* the function that was called there; NULL: not known */
    const char *library;   /* that this, or else the frame, belongs to, and the version of that; */
    const char *version;   /* NULL: none, or not known */
};

/* Returns the frames that the place's strings belong to, its own and that of the function that was
 * called, if it is known; or NULL: the stack has no frames. */
json_t *lh_stack_place(json_t *stack, struct lh_place *place);

/* The same of these two; `api` may be NULL. */
void lh_place_of_frames(const json_t *frame, const json_t *api, struct lh_place *place);
/* The frames of a stack; their strings are the stack's. Returns how many there are. */
uint32_t lh_stack_frames(const json_t *stack, struct lh_frame frames[LH_STACK_FRAMES_MAX]);

/* The frame to look at: the one that the collector has marked, which knew LOOPHOUND_PROJECT, or
 * else by the rule. `count`: there are none. */
uint32_t lh_marked_place(const struct lh_frame *frames, uint32_t count);

/* Frames and stacks that are lines of their own, which events name by their ids. */
struct lh_book;
struct lh_book *lh_book_new(struct lh_symbol_files *files); /* NULL: out of memory */
void lh_book_free(struct lh_book *book);

/* Takes such a line. False: it is another, an event. */
bool lh_book_take(struct lh_book *book, json_t *line);

/* Puts the stacks into the event that names them. */
void lh_book_put_stacks(struct lh_book *book, json_t *event);

/* Takes no more frames and stacks than these; what comes then counts as missing. */
void lh_book_limit(struct lh_book *book, uint32_t frames, uint32_t stacks);

/* The number, below the limit of stacks, of the stack that a part of an event (the event itself, a
 * sample, a holder) names by its id. LH_NO_NUMBER of report_ids.h: it names none, or it is not
 * there. */
uint32_t lh_book_stack(struct lh_book *book, const json_t *part);

/* Its frames, completed as lh_complete_stack() does it: a new array. */
json_t *lh_book_frames(struct lh_book *book, uint32_t stack, bool exact);

/* Where the event happened, valid while it is and until the next call. NULL: it has no frames. */
const struct lh_place *lh_book_place(struct lh_book *book, const json_t *event);

/* How often a line was asked for that had not been read. */
uint64_t lh_book_missing(const struct lh_book *book);

#define LH_WHAT_BYTES  64
#define LH_WHERE_BYTES 256
#define LH_KEY_BYTES   512

/* What stands in a row, beside its numbers. */
struct lh_row {
    char what[LH_WHAT_BYTES]; /* the call; only of rows by place */
    char where[LH_WHERE_BYTES];
    char source[LH_WHERE_BYTES];
    char advice[LH_WHERE_BYTES]; /* only of rows by place */
    char on[LH_WHAT_BYTES];      /* its other end; only of loose rows */
    char key[LH_KEY_BYTES];      /* events with the same key share a row */
};

struct lh_by {
    const char *word;                         /* of --by */
    const char *heading;                      /* of the column */
    const char *(*name)(const json_t *event); /* NULL: by place */
    bool loose; /* a place is the same also where its line reads otherwise, or lies elsewhere */
};

/* By place, as two runs are compared: of two versions, or on two machines. */
extern const struct lh_by lh_by_loose_place;

/* NULL: there is no such word. */
const struct lh_by *lh_by_find(const char *word);

/* Fills in the row that an event belongs to. `place` may be NULL; paths below `cwd` are shortened
 * (of loose rows they are what counts). */
void lh_by_row(const struct lh_by *by, const json_t *event, const struct lh_place *place,
               const char *cwd, struct lh_row *row);

/* The worst offenders: events that share a row, added up. `by` and the book outlive the table. */
struct lh_table;
struct lh_table *lh_table_new(const struct lh_by *by, struct lh_book *book); /* NULL: no memory */
void lh_table_free(struct lh_table *table);
void lh_table_add(struct lh_table *table, json_t *event);

/* The totals of the programs' summaries are not those of the events that are looked at: counts
 * these alone. */
void lh_table_count_events(struct lh_table *table);

/* All was read. The largest total comes first from now on. */
void lh_table_end(struct lh_table *table);

/* A row; its strings are the table's, "": there is none. */
struct lh_offence {
    uint64_t key; /* the same in every table */
    const char *what;
    const char *where;
    const char *source;
    const char *advice;
    const char *on;
    uint64_t count;
    double total_ms;
    double worst_ms;
};

uint32_t lh_table_rows(const struct lh_table *table);
struct lh_offence lh_table_row(const struct lh_table *table, uint32_t index);

/* What the programs come to. */
struct lh_sums {
    uint64_t processes;
    uint64_t blocks;
    uint64_t stalls;
    uint64_t suppressed;
    uint64_t dropped;
};

struct lh_sums lh_table_sums(const struct lh_table *table);

/* How it is to look. */
struct lh_look {
    const struct lh_by *by;
    uint32_t top; /* most rows; 0: all */
    bool advice;  /* below each row, where there is any */
};

/* The table has ended: lh_table_end(). */
typedef void lh_print_table(const struct lh_table *table, const struct lh_look *look);

lh_print_table lh_print_text;     /* for a terminal, and a line that counts */
lh_print_table lh_print_markdown; /* the same for a page */
lh_print_table lh_print_lines;    /* one a row, without more: for grep(1) and awk(1) */

#endif

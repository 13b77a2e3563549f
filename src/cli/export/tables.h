/* SPDX-License-Identifier: Apache-2.0 */
/* How the tables of a model are filled: for the files model_*.c and tables.c alone. Main thread.
 *
 * What has no room gets the number 0, or what is nearest to it, and is counted in `left_out`. */
#ifndef LH_CLI_EXPORT_TABLES_H
#define LH_CLI_EXPORT_TABLES_H

#include <jansson.h>

#include "cli/export/model.h"
#include "cli/report.h"
#include "cli/report_ids.h"

/* Beside what writers see. Rooms are how many fit without more memory. */
struct lh_export_tables {
    struct lh_symbol_files *files;
    struct lh_book *book;
    struct lh_time_range range;
    const struct lh_by *by_place;
    char **chunks; /* the bytes of all strings */
    uint32_t chunk_count;
    uint32_t chunk_used; /* of the last one */
    const char **strings;
    uint32_t string_count;
    uint32_t string_room;
    uint64_t text_bytes;
    uint32_t event_room;
    uint32_t part_room;
    uint32_t split_room;
    uint32_t place_room;
    uint32_t thread_room;
    uint32_t process_room;
    uint32_t frame_room;
    uint32_t node_room;
    uint32_t *book_nodes; /* by twice the number of a stack in the book, and 1 where exact */
    uint32_t book_room;
    struct lh_ids string_ids;
    struct lh_ids frame_ids;
    struct lh_ids node_ids;
    struct lh_ids event_ids; /* of those that more may be said of */
    struct lh_ids place_ids;
    struct lh_ids thread_ids;
    struct lh_ids process_ids; /* by pid: the last one that had it */
    bool out_of_memory;
};

/* Makes room for one more in an array; false: it is full, or there is no memory (which is noted).
 */
bool lh_table_grow(struct lh_export_model *model, void **array, uint32_t count, uint32_t *room,
                   size_t size, uint32_t most);

/* 0: NULL, or "". */
uint32_t lh_intern(struct lh_export_model *model, const char *text);

/* The stack of a part of an event: inside it, or by its id. `exact`: as lh_complete_stack() has it.
 */
uint32_t lh_intern_stack(struct lh_export_model *model, json_t *part, bool exact);

/* model_process.c: what the lines `start`, `loop` and `summary` say. */
void lh_model_start(struct lh_export_model *model, const json_t *event);
void lh_model_loop(struct lh_export_model *model, const json_t *event);
void lh_model_summary(struct lh_export_model *model, const json_t *event);

/* The thread of an event, which is new if need be. LH_NO_NUMBER: there is no room. */
uint32_t lh_model_thread(struct lh_export_model *model, const json_t *event);

/* model_event.c: a block, a stall, one in flight; more calls at the place of one. */
void lh_model_event(struct lh_export_model *model, json_t *event, const char *type);
void lh_model_repeated(struct lh_export_model *model, const json_t *event);

/* model_place.c: the place of an event, which is new if need be. */
uint32_t lh_model_place(struct lh_export_model *model, const json_t *json,
                        const struct lh_export_event *event);

/* Adds an event to its place and the totals, once it is known to be one. */
void lh_model_count(struct lh_export_model *model, const struct lh_export_event *event);

/* Leaves out the shortest events, so that half of the room is free. model_room.c */
void lh_model_make_room(struct lh_export_model *model);

/* Members of an event, checked. */
uint64_t lh_model_ns(const json_t *object, const char *name); /* of milliseconds; 0: none */
uint64_t lh_model_u64(const json_t *object, const char *name);
uint32_t lh_model_u32(const json_t *object, const char *name);
uint32_t lh_model_text(struct lh_export_model *model, const json_t *object, const char *name);

/* What stays the sum where it gets too large. */
void lh_add_ns(uint64_t *sum, uint64_t ns);

#endif

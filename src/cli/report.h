/* loophound report: events read back from JSON Lines. All runs on the command's main thread.
 *
 * What is read may come from anywhere: each member is checked where it is used, and what has the
 * wrong type counts as not there. Lines are read and written by Jansson. */
#ifndef LH_CLI_REPORT_H
#define LH_CLI_REPORT_H

#include <jansson.h>
#include <stdint.h>

#include "collect/elf_file.h"
#include "common/event_json.h"

/* NULL: there is no such member, or it is no string. */
const char *lh_string_of(const json_t *object, const char *key);

/* The files that functions are looked up in. */
struct lh_symbol_files;

/* Looks for modules under their own names and for separate debug files in `directories` (ends in
 * NULL; DIR/.build-id/ab/cdef.debug and DIR/NAME), which outlive the result, then in
 * /usr/lib/debug. Nothing is used whose build-id is another. NULL: out of memory. */
struct lh_symbol_files *lh_symbol_files_new(const char *const *directories);
void lh_symbol_files_free(struct lh_symbol_files *files);

/* What stands at this vaddr of the module, innermost first, as lh_elf_symbols() gives it. Returns
 * 0 where no file of this build-id tells a name. */
uint32_t lh_symbol_files_find(struct lh_symbol_files *files, const char *module,
                              const char *build_id, uint64_t vaddr, struct lh_symbol *found);

/* Completes each stack of an event in place: a frame without a function that has a module, an
 * offset and a build-id becomes that function's frame, and those that were inlined into it. */
void lh_complete_stacks(json_t *event, struct lh_symbol_files *files);

/* Where an event happened, in a few words: the first frame of the user's own, or the first. The
 * frame's strings are the event's. False: it has no frames. */
bool lh_event_place(const json_t *event, struct lh_frame *place);

/* The worst offenders: events of one kind at one place, added up. */
struct lh_table;
struct lh_table *lh_table_new(void); /* NULL: out of memory */
void lh_table_free(struct lh_table *table);
void lh_table_add(struct lh_table *table, json_t *event);

/* Prints at most `most` rows (0: all), the largest total first, and a line that counts. */
void lh_table_print(struct lh_table *table, uint32_t most);

#endif

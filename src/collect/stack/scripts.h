/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts of JavaScript that a program runs: where the lines of those begin that are long, and
 * the source maps of those that a tool has made. Used by the thread of one ring, with the rights of
 * the program. */
#ifndef LH_COLLECT_STACK_SCRIPTS_H
#define LH_COLLECT_STACK_SCRIPTS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/event.h"
#include "common/script_flaws.h"

struct lh_scripts;

struct lh_scripts *lh_scripts_new(pid_t pid); /* NULL: out of memory */
void lh_scripts_free(struct lh_scripts *scripts);

/* Gives a frame, made of this one of a record, the line and the column that the library had no time
 * for; then, where the script has a map, the file, line and column that a person wrote: the
 * script's own are kept as `generated_file` and `generated_line`. Its strings live until
 * lh_scripts_let_go(). */
void lh_scripts_apply(struct lh_scripts *scripts, const struct lh_js_frame *js,
                      struct lh_frame *frame);

/* Nobody looks at what such frames point to any more: scripts that are too many are given up. */
void lh_scripts_let_go(struct lh_scripts *scripts);

/* The same for all of them; they are read again when they are asked for. */
void lh_scripts_give_up(struct lh_scripts *scripts);

/* A script that has a flaw, and which, once for each; valid as above. NULL: there is none. */
const char *lh_scripts_flaw(struct lh_scripts *scripts, enum lh_script_flaw *flaw);

/* How many had that one. */
uint64_t lh_scripts_flawed(const struct lh_scripts *scripts, enum lh_script_flaw flaw);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader should know about a stack: why names are missing in it, and how to get them. Each
 * is said once in a process. Collector only; one thread a program. */
#ifndef LH_COLLECT_REPORT_NOTES_H
#define LH_COLLECT_REPORT_NOTES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/script_flaws.h"

#define LH_NOTES_MAX 32u

struct lh_notes {
    uint32_t said;  /* bits: rows of src/runtimes.def, and the old map */
    char text[512]; /* of lh_note_flaw() */
};

/* A sentence about this stack that has not been said yet, or NULL. `old_map`: there is a perf map,
 * and it is older than the process. */
const char *lh_note_about(struct lh_notes *notes, const struct lh_frame *frames, uint32_t count,
                          bool old_map);

/* The sentence about a script (scripts.h); "": it has no name. Valid until the next one. */
const char *lh_note_flaw(struct lh_notes *notes, const char *script, enum lh_script_flaw flaw);

#endif

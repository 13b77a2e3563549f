/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a script of JavaScript that a program runs. Any thread of the collector. */
#ifndef LH_COLLECT_STACK_SCRIPT_TEXT_H
#define LH_COLLECT_STACK_SCRIPT_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/record.h"

struct lh_script_text {
    uint16_t *units; /* of UTF-16 */
    uint32_t count;
};

/* From the memory of the process, as long as that lives and may be read (ptrace(2), "Ptrace access
 * mode checking"); else from the file, "" or a relative path being none. Either is taken only if it
 * is as long as what ran, and has the same characters where the frame stands; a frame that does not
 * say so has any file taken. False: it cannot be had. */
bool lh_script_text_take(pid_t pid, const struct lh_js_frame *js, const char *path,
                         struct lh_script_text *text);
void lh_script_text_free(struct lh_script_text *text);

#endif

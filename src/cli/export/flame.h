/* SPDX-License-Identifier: Apache-2.0 */
/* What flame views without a time line are made of: the time of all events, stack by stack. Main
 * thread. */
#ifndef LH_CLI_EXPORT_FLAME_H
#define LH_CLI_EXPORT_FLAME_H

#include "cli/export/model.h"
#include "common/options.h"

struct lh_flame {
    uint32_t thread; /* string: the names of threads; those of the same name are one */
    uint32_t call;   /* string; 0: stalls */
    uint32_t group;  /* string */
    uint32_t stack;  /* as a flame view shows it */
    uint64_t ns;
    uint64_t count; /* events, as many as there are calls behind them */
};

/* Sorted by thread and stack; suppressed events are not there. To be freed with free(3). NULL: out
 * of memory. */
struct lh_flame *lh_flames_new(const struct lh_export_model *model, uint32_t *count);

#define LH_FLAME_FRAMES_MAX LH_STACK_FRAMES_MAX

/* The numbers of the frames of a stack, innermost first. Returns how many. */
uint32_t lh_flame_frames(const struct lh_export_model *model, uint32_t stack,
                         uint32_t frames[LH_FLAME_FRAMES_MAX]);

#endif

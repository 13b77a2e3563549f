/* Samples of a loop thread that computes: by a timer on its own CPU clock, so that the signal comes
 * while it runs and never while it waits in a system call. */
#ifndef LH_PRELOAD_SAMPLER_H
#define LH_PRELOAD_SAMPLER_H

#include <stdbool.h>

#include "preload/report.h"
#include "preload/state.h"

/* Sets the timer for the iteration `turn`, if that is not done yet. Nothing happens where the
 * program handles or blocks the signal itself. Runs on the watchdog. */
void lh_sampler_start(struct lh_slot *slot, uint64_t turn);

/* Stops it, and gives it back to the kernel. Runs on the slot's own thread. */
void lh_sampler_stop(struct lh_slot *slot);
void lh_sampler_free(struct lh_slot *slot);

/* Writes a sample: where the thread is, by its registers (`running`: the program's own, else those
 * of our wrapper), and for how much of its time that stands. Runs on the slot's own thread. */
void lh_sample_write(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t elapsed_ns,
                     bool running);

#endif

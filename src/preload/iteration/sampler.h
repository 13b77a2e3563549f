/* SPDX-License-Identifier: Apache-2.0 */
/* Samples of a loop thread that computes: by a timer on its own CPU clock, so that the signal comes
 * while it runs and never while it waits in a system call. */
#ifndef LH_PRELOAD_ITERATION_SAMPLER_H
#define LH_PRELOAD_ITERATION_SAMPLER_H

#include <signal.h>
#include <stdbool.h>

#include "preload/state/record.h"
#include "preload/state/state.h"

/* The handler of the sampling signal. */
void lh_sampler_on_signal(int number, siginfo_t *info, void *context);

/* Makes a signal ours, unless it is the program's. True: it is ours. Any thread. */
bool lh_sampler_take_signal(int number);

/* The program is about to ask or to say what becomes of a signal: where it is ours, no timer sends
 * it any more, and it is as it was before us. Any thread; errno stays. */
void lh_sampler_give_back(int number);

/* Sets a timer of the kernel's: when it comes first, and then; 0: stops it. timer_settime(2). Any
 * thread. */
void lh_sampler_set_timer(int timer, int64_t first_ns, int64_t interval_ns);

/* Why this iteration gets no signals; LH_STACK_KNOWN: it gets them, or is not sampled. Any thread.
 */
enum lh_no_stack lh_sampler_no_signal(const struct lh_slot *slot, uint64_t iteration_id);

/* Stops the slot's timer, and gives it back to the kernel. Runs on the slot's own thread. */
void lh_sampler_stop(struct lh_slot *slot);
void lh_sampler_free(struct lh_slot *slot);

/* Gives the timer back, while its thread may go on. Any thread. */
void lh_sampler_free_timer(struct lh_slot *slot);

/* Writes a sample: where the thread is, by its registers (`running`: the program's own, else those
 * of our wrapper), and for how much of its time that stands. Runs on the slot's own thread. */
void lh_sample_write(struct lh_slot *slot, const struct lh_call_copy *copy, uint64_t elapsed_ns,
                     bool running);

#endif

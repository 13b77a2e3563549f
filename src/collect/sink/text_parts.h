/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces that text reports are made of. Collector only; one thread a sink. */
#ifndef LH_COLLECT_SINK_TEXT_PARTS_H
#define LH_COLLECT_SINK_TEXT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"
#include "common/ring.h"
#include "common/text.h"

/* Escape sequences, or empty strings where the reader wants no colours. */
struct lh_text_style {
    const char *strong; /* what happened */
    const char *place;  /* where */
    const char *user;   /* the line to look at */
    const char *faint;  /* what is only hinted at */
    const char *reset;
    size_t width; /* of the terminal, in columns; 0: it is none */
};

/* printf into a text. */
void lh_text_format(struct lh_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds what a program says about itself: control characters, which could drive the terminal, and
 * bytes that are no UTF-8 become `?`; characters that are not seen are shown as
 * escapes (common/utf8.h). */
void lh_text_clean(struct lh_text *text, const char *bytes, size_t length);

/* "300 ms", "1.5 ms", "2 s", "50 us": as a person would have asked for it. */
void lh_text_duration(struct lh_text *text, uint64_t ns);

/* Milliseconds down to their tenths or hundredths (`parts` 10 or 100; 1: whole), cut and not
 * rounded, as in JSON; from 10 s on seconds. */
void lh_text_elapsed(struct lh_text *text, uint64_t ns, uint64_t parts);

/* "" or "s". */
const char *lh_text_plural(uint64_t count);

/* A sentence, in lines of a terminal's usual width at most; NULL: nothing. */
void lh_text_sentence(struct lh_text *text, const struct lh_text_style *style,
                      const char *sentence);

/* "blocked 301.2 ms in recv (socket to 127.0.0.1:5432), ETIMEDOUT": what happened, in one line. */
void lh_text_event(struct lh_text *text, const struct lh_text_style *style,
                   const struct lh_report *report);

/* "  last seen in system call 0 (read), not through libc (pipe:[4711])": a line of a stall that
 * waited past libc. */
void lh_text_waited_in(struct lh_text *text, const struct lh_record *record);

/* ": 12 ms on the CPU, 3 ms blocked": where the time of a stall went. */
void lh_text_accounts(struct lh_text *text, const struct lh_stall *stall);

/* The lines of the calls that took most of it, which are not blocks by themselves. */
void lh_text_stall_calls(struct lh_text *text, const struct lh_stall *stall);

/* Lines, or nothing where there is nothing to say: the task or callback that ran; what could
 * be done; who waited meanwhile; why there is no stack; how many reports were left out before this
 * one. */
void lh_text_task(struct lh_text *text, const struct lh_text_style *style,
                  const struct lh_report *report);
void lh_text_advice(struct lh_text *text, const struct lh_text_style *style,
                    const struct lh_advice *advice);
void lh_text_victims(struct lh_text *text, const struct lh_text_style *style,
                     const struct lh_victims *victims);
void lh_text_no_stack(struct lh_text *text, const struct lh_text_style *style,
                      enum lh_no_stack no_stack);
void lh_text_skipped(struct lh_text *text, const struct lh_text_style *style,
                     const struct lh_options *options, uint32_t skipped);

/* " in the regular expression /^(a+)+$/", " in JSON.parse of 11.4 MB": what the innermost function
 * of JavaScript is at, where that is known. */
void lh_text_about(struct lh_text *text, const struct lh_frame *frames, uint32_t count);

/* "/^(a+)+$/", "11.4 MB", or nothing. */
void lh_text_amount(struct lh_text *text, const struct lh_about *about);

/* ", 80 ms of it in the garbage collector": for each thing that the runtime did for itself. */
void lh_text_work(struct lh_text *text, const struct lh_sample *group);

/* " (socket to 127.0.0.1:5432)", or nothing where there is nothing to name. */
void lh_text_resource(struct lh_text *text, const struct lh_record *record);

/* A file name as short as it can be and still be found. */
void lh_text_path(struct lh_text *text, const char *file, const char *cwd);

/* "app.py:12 handler": what is at this place, into an empty text. */
void lh_text_where(struct lh_text *text, const struct lh_frame *frame, const char *cwd);

/* The lines of a stack. */
struct lh_text_stack;
struct lh_text_stack *lh_text_stack_new(const struct lh_ring *header,
                                        const struct lh_text_style *style);
void lh_text_stack_free(struct lh_text_stack *stack);
void lh_text_stack_add(struct lh_text_stack *stack, struct lh_text *text,
                       const struct lh_frame *frames, uint32_t frame_count);

/* Would the lines of the two be the same? */
bool lh_text_stack_alike(struct lh_text_stack *stack, const struct lh_sample *a,
                         const struct lh_sample *b);

/* ", 812 calls quiet (import 700, tooling 112)": those that could be told. Nothing, where there
 * were none. */
void lh_text_quiet(struct lh_text *text, const _Atomic uint64_t quiet[LH_NOISE_COUNT]);

#endif

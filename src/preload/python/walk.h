/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over one thread's Python frames, for a given layout. See interpreter.h for who may call
 * what.
 */
#ifndef LH_PRELOAD_PYTHON_WALK_H
#define LH_PRELOAD_PYTHON_WALK_H

#include "preload/python/walker.h"

/* lh_python_capture() with the layout as a parameter. */
void lh_python_walk(const struct lh_python_layout *layout, const struct lh_view *view,
                    uintptr_t thread_state, uint32_t most, struct lh_record *record);

/* A Python frame, and its code. */
struct lh_python_step {
    uintptr_t frame;
    uintptr_t code;
    uintptr_t filename;
    uintptr_t qualname;
    uintptr_t line_table;
    int32_t first_line;
};

/* The frame at this address. False: there is none. */
bool lh_python_walk_look(const struct lh_python_walk *walk, uintptr_t frame,
                         struct lh_python_step *step);

/* Stores the frame at this address into walk->record, behind those that are there. False: there is
 * none, or no room. */
bool lh_python_walk_take(struct lh_python_walk *walk, uintptr_t frame);

/* False: the walk may end here. */
typedef bool lh_python_visit(const struct lh_python_walk *walk, const struct lh_python_step *step,
                             void *context);

/* Visits the Python frames of the thread with this state, innermost first; walk->left of them are
 * fetched at once. False: they could not be read to the end, or there are very many. */
bool lh_python_walk_out(struct lh_python_walk *walk, uintptr_t thread_state, lh_python_visit *visit,
                        void *context);

/* Is this frame, with this code, one of those that the thread with this state is in? */
bool lh_python_walk_is_below(struct lh_python_walk *walk, uintptr_t thread_state, uintptr_t wanted,
                             uintptr_t code);

/* Is this frame, which was once seen with this code, still one? A frame that has returned may look
 * as if it had not. */
bool lh_python_walk_frame_lives(const struct lh_python_walk *walk, uintptr_t frame, uintptr_t code);

/* Which instruction the frame is at, in bytes from the first one. Negative: not known. Since 3.11
 * alone. */
int64_t lh_python_walk_instruction(const struct lh_python_walk *walk,
                                   const struct lh_python_step *step);

/* The line that the frame is at; 0: not known. */
uint32_t lh_python_walk_line(const struct lh_python_walk *walk, const struct lh_python_step *step);

struct lh_python_outermost {
    uintptr_t qualname;    /* of its code */
    uintptr_t first_local; /* where it has one */
};

/* The outermost Python frame of the thread with this state. False: there is none, or it is very far
 * out, or cannot be read. */
bool lh_python_walk_outermost(struct lh_python_walk *walk, uintptr_t thread_state,
                              struct lh_python_outermost *outermost);

#endif

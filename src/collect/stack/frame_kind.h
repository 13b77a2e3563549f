/* SPDX-License-Identifier: Apache-2.0 */
/* Whose code a frame is, as its file's name tells. Any thread. */
#ifndef LH_COLLECT_STACK_FRAME_KIND_H
#define LH_COLLECT_STACK_FRAME_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event.h"

enum lh_frame_kind {
    LH_FRAME_UNKNOWN,    /* not asked for yet: the kind of no frame */
    LH_FRAME_USER,       /* Python or JavaScript of the program itself */
    LH_FRAME_OWN_NATIVE, /* machine code that did not come with the system */
    LH_FRAME_GENERATED,  /* made from a string: the program's own only under `python -c` */
    LH_FRAME_LIBRARY,    /* an installed package, the standard library */
    LH_FRAME_STANDARD = LH_FRAME_LIBRARY, /* of these, the latter */
    LH_FRAME_INTERPRETER,                 /* CPython's own C, what V8 has between two functions */
    LH_FRAME_RUNTIME,                     /* the rest of node, the JVM and their like */
    LH_FRAME_LIBC,
    LH_FRAME_NATIVE, /* any other machine code */
};

/* By src/frames.def, or as it was classed before (frame->kind). */
enum lh_frame_kind lh_frame_kind_of(const struct lh_frame *frame);

/* Classes each frame that is not yet, once and for all. `project` is LOOPHOUND_PROJECT: where there
 * are globs, the files (and of machine code the functions and modules) that match are the user's
 * own and no others; "": as the table says. */
void lh_frames_class(struct lh_frame *frames, uint32_t count, const char *project);

/* The first frame, of innermost first, that a person can change: of the program's own Python or
 * JavaScript, or else of its own machine code. `count`: there is none. */
uint32_t lh_first_of_user(const struct lh_frame *frames, uint32_t count);

/* Where a person should look: the user's own frame, or else the innermost of the language that the
 * program is written in, or else of its machine code. `count`: only of no frames. */
uint32_t lh_place_of(const struct lh_frame *frames, uint32_t count);

/* What was called at `place`: the next frame inside that is no interpreter's. `count`: none. */
uint32_t lh_api_of(const struct lh_frame *frames, uint32_t count, uint32_t place);

/* Is it Python, or JavaScript whose function is known? The machine code below says little. */
bool lh_frame_is_script(const struct lh_frame *frame);

/* Is it one of these, in a file that somebody has? The runtime's own modules are inside itself. */
bool lh_frame_has_script_file(const struct lh_frame *frame);

#endif

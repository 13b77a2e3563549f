/* Whose code a frame is, as its file's name tells. Any thread. */
#ifndef LH_COLLECT_OWNER_H
#define LH_COLLECT_OWNER_H

#include <stddef.h>
#include <stdint.h>

#include "common/event_json.h"

enum lh_owner {
    LH_OWNER_USER,        /* Python or JavaScript of the program itself */
    LH_OWNER_OWN_NATIVE,  /* machine code that did not come with the system */
    LH_OWNER_LIBRARY,     /* an installed package, the standard library */
    LH_OWNER_INTERPRETER, /* CPython's own C, what V8 has between two functions */
    LH_OWNER_RUNTIME,     /* the rest of node, the JVM and their like */
    LH_OWNER_LIBC,
    LH_OWNER_NATIVE, /* any other machine code */
};
enum lh_owner lh_frame_owner(const struct lh_frame *frame);

/* The first frame, of innermost first, that a person can change: of the program's own Python or
 * JavaScript, or else of its own machine code. `count`: there is none. */
uint32_t lh_first_of_user(const struct lh_frame *frames, uint32_t count);

/* The package of a library's frame ("asyncio"): where it starts; its length is put into *length. */
const char *lh_frame_package(const struct lh_frame *frame, size_t *length);

/* The name of a file below the directory that packages are installed to; NULL: not there. */
const char *lh_inside_packages(const char *path);

#endif

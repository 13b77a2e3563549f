/* SPDX-License-Identifier: Apache-2.0 */
/* The package that a library's frame belongs to, as its names tell. Any thread. */
#ifndef LH_COLLECT_STACK_FRAME_PACKAGE_H
#define LH_COLLECT_STACK_FRAME_PACKAGE_H

#include <stddef.h>

#include "common/event.h"

#define LH_PACKAGE_BYTES 64

/* The package of a library's frame ("asyncio", "tokio"), cut where it is longer; "": not known. */
void lh_frame_package(const struct lh_frame *frame, char package[LH_PACKAGE_BYTES]);

/* The name of a file below the directory that packages are installed to; NULL: not there. */
const char *lh_inside_packages(const char *path);

/* The file of Python or JavaScript that says which package it is of: the script that runs, where
 * its source map has a name that does not. NULL: it has none. */
const char *lh_frame_package_file(const struct lh_frame *frame);

#endif

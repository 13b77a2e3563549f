/* SPDX-License-Identifier: Apache-2.0 */
/* What this process image is: filled in by our set-up (process/image.c), constant after it, also in
 * children of fork. Any thread. */
#ifndef LH_PRELOAD_STATE_IMAGE_H
#define LH_PRELOAD_STATE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/sys/compiler.h"
#include "preload/sys/syscall.h"

struct lh_image {
    bool off;        /* LOOPHOUND_FOLLOW, or nothing to watch with */
    bool is_root;    /* the first process that carries the library: the command */
    uint32_t pid;    /* of the image we were set up in */
    char exe[1024];  /* /proc/self/exe */
    char cwd[1024];  /* the working directory at the start */
    char argv[2048]; /* what it was started with, each ended by a NUL; cut where it is longer */
    uint32_t argv_length;
    char collector[1024]; /* absolute path of the collector's executable; "": none is to be had */
    char run_socket[108]; /* path of the socket of `loophound run`; "": not under it */
};

extern LH_HIDDEN struct lh_image lh_image;

/* May the dynamic linker be asked? In a child of fork its lock may be one that nobody will let go.
 */
static inline bool lh_image_may_look_up(void)
{
    return lh_image.pid == 0 || lh_image.pid == (uint32_t)lh_syscall0(SYS_getpid);
}

#endif

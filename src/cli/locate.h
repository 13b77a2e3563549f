/* SPDX-License-Identifier: Apache-2.0 */
/* Where our own files are. */
#ifndef LH_CLI_LOCATE_H
#define LH_CLI_LOCATE_H

#include <stddef.h>

#include "common/text.h"

/* The absolute path of the library: beside the command, else in ../lib, else where `make install`
 * put it. 0 or -ENOENT; -EINVAL where the path cannot stand in LD_PRELOAD. Says what is wrong. */
int lh_locate_library(char *path, size_t size);

/* The same, but what is wrong goes into `why`, as a sentence without its end. */
int lh_locate_library_quietly(char *path, size_t size, struct lh_text *why);

/* A directory of our own (0700) and a name for a socket in it that nobody can guess. A root's
 * programs may give up their rights before they have a loop (nginx's workers) and must still get to
 * the socket: its directory is 0711, and who knows the name may come in. It is locked, flock(2), as
 * long as this process lives: see left_dirs.h. */
struct lh_private_dir {
    int lock_fd; /* -1: the file system has no such locks */
    char path[80];
    char socket[108]; /* fits sockaddr_un.sun_path */
};

/* In the first of these that can be written to: /run (root), $XDG_RUNTIME_DIR, $TMPDIR, /tmp,
 * /dev/shm, /var/tmp, $HOME. 0 or a negative errno: none of them can. */
int lh_private_dir_make(struct lh_private_dir *dir);

/* With the socket, if there is one. */
void lh_private_dir_remove(const struct lh_private_dir *dir);

#endif

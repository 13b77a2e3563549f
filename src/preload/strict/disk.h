/* SPDX-License-Identifier: Apache-2.0 */
/* Is it on a disk, as far as the kernel tells? Not: /proc, /sys, tmpfs and other memory file
 * systems, devices, pipes, sockets.
 *
 * Runs on the program's threads. Raw system calls that leave nothing behind; errno stays. */
#ifndef LH_PRELOAD_STRICT_DISK_H
#define LH_PRELOAD_STRICT_DISK_H

#include <stdbool.h>
#include <sys/types.h>

/* The type bits of st_mode; 0 when fd is not open. */
mode_t lh_fd_type(int fd);

/* An open file or directory, and one that is known to be of these. */
bool lh_fd_is_on_disk(int fd);
bool lh_file_is_on_disk(int fd);

/* Where a look at this path ends: at the file, with `follow` behind symbolic links, else in the
 * directory that has its name. Of a path that does not exist the part counts that does. `dirfd` may
 * be AT_FDCWD. False for a path that cannot be read, and for an empty one: that means an open file.
 */
bool lh_path_is_on_disk(int dirfd, const char *path, bool follow);

#endif

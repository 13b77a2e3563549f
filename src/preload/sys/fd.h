/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: what one is, and those of the watchdog, which has a table of its own. Raw system
 * calls only; errno stays. */
#ifndef LH_PRELOAD_SYS_FD_H
#define LH_PRELOAD_SYS_FD_H

#include <stdbool.h>
#include <stddef.h>

/* What /proc/self/fd says of a descriptor of the calling thread's table, not terminated. Returns
 * the length or a negative errno. Any thread. */
long lh_fd_read_link(int fd, char *text, size_t size);

/* Is this descriptor of the calling thread's table what /proc/self/fd calls `what`, as
 * "anon_inode:[eventfd]"? At most 39 characters. Any thread. */
bool lh_fd_is(int fd, const char *what);
bool lh_fd_is_epoll(int fd);

/* On the watchdog: moves a descriptor, or passes on an error, to a number that the collector's
 * descriptors do not use. */
int lh_fd_lift(long fd);

/* On the watchdog: does RLIMIT_NOFILE leave room for all that it opens? Not if it is below this. */
#define LH_FD_LIMIT_LEAST 10
bool lh_fd_has_room(void);

/* On the watchdog: moves a descriptor that it could do without, or passes on an error, to a number
 * that nothing else needs; -EINVAL, and it is closed, where RLIMIT_NOFILE leaves no such number. */
int lh_fd_keep(long fd);

/* On the watchdog: a copy of the program's descriptor, pidfd_getfd(2); or a negative errno. */
int lh_fd_borrow(int fd);

/* Closes unless negative. Any thread. */
void lh_fd_close(int fd);

/* On the watchdog: a connected unix socket of this type, non-blocking connect(2); or a negative
 * errno. */
int lh_fd_connect(const char *path, int type);

#endif

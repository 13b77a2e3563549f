/* Descriptors in the watchdog's own table. Runs on the watchdog: raw system calls only. */
#ifndef LH_PRELOAD_DESCRIPTORS_H
#define LH_PRELOAD_DESCRIPTORS_H

/* Moves a descriptor, or passes on an error, to a number that the collector's descriptors do not
 * use. */
int lh_fd_lift(long fd);

/* A copy of the program's descriptor, pidfd_getfd(2); or a negative errno. */
int lh_fd_borrow(int fd);

/* Closes unless negative. */
void lh_fd_close(int fd);

/* A connected unix socket of this type, non-blocking connect; or a negative errno. */
int lh_fd_connect(const char *path, int type);

#endif

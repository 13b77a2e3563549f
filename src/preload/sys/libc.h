/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind our names. */
#ifndef LH_PRELOAD_SYS_LIBC_H
#define LH_PRELOAD_SYS_LIBC_H

#include <stdbool.h>

/* Is this process's libc glibc? Under another one wrappers forward, and nothing is watched. */
bool lh_libc_is_known(void);

/* libc's own function of this name, bound to `version` ("": the default one), else to whatever
 * comes next in the look-up order. A function that fails with ENOSYS where there is none (so far: a
 * libpthread of before 2.34 can come later). After lh_libc_note() takes no lock for what there is;
 * else not in a signal handler: symbols.h. */
void *lh_real(const char *name, const char *version);

/* The same, but never takes a lock: of functions that lh_libc_note() has not brought near nothing
 * is known. Any thread, also the watchdog. */
void *lh_real_noted(const char *name, const char *version);

/* Brings near what is between us and libc in the look-up order, libc included. True: all that we
 * wrap is there, if it is anywhere. Once, in our constructor. */
bool lh_libc_note(void);

/* Is that what they found, and not the function that fails? */
bool lh_libc_has(const void *function);

#endif

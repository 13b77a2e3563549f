/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind our names. */
#ifndef LH_PRELOAD_SYS_LIBC_H
#define LH_PRELOAD_SYS_LIBC_H

#include <stdbool.h>

/* Is this process's libc glibc? Under another one wrappers forward, and nothing is watched. */
bool lh_libc_is_known(void);

/* libc's own function of this name, bound to `version` ("": the default one), else to whatever
 * comes next in the look-up order. A function that fails with ENOSYS where there is none (so far: a
 * libpthread of before 2.34 can come later). Not in a signal handler: symbols.h. */
void *lh_real(const char *name, const char *version);

/* The same, for many names at once: see lh_loaded_use(). */
struct lh_loaded;
void *lh_real_in(struct lh_loaded *loaded, const char *name, const char *version);

/* Is that what lh_real() found, and not the function that fails? */
bool lh_libc_has(const void *function);

#endif

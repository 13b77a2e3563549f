/* The functions behind our names. */
#ifndef LH_PRELOAD_REAL_H
#define LH_PRELOAD_REAL_H

#include <stdbool.h>

/* Is this process's libc glibc? Under another one wrappers forward, and nothing is watched. */
bool lh_libc_is_known(void);

/* libc's own function of this name, bound to `version` ("": the default one), else to whatever
 * comes next in the look-up order. A function that fails with ENOSYS where there is none. dlsym(3),
 * so: no signal handlers, may allocate. */
void *lh_real(const char *name, const char *version);

#endif

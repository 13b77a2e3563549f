/* The functions behind our names. Runs on the program's threads, at the first call of each function
 * before our constructor has run, else in it. */
#include "preload/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A program of another libc must not die of us: musl's dynamic linker loads the library where it
 * can resolve every symbol that is not weak; it takes our libc.so.6 for itself. */
#pragma weak gnu_get_libc_version
#pragma weak dlvsym

bool lh_libc_is_known(void)
{
    return gnu_get_libc_version != NULL && dlvsym != NULL;
}

/* Takes any arguments: in the System V ABI the caller cleans up. */
static long missing(void)
{
    errno = ENOSYS;
    return -1;
}

/* "GLIBC_2.38" and "2.38": the minor number; the major one has been 2 since 1997. */
static int minor_version(const char *version)
{
    const char *point = strchr(version, '.');
    return point != NULL ? atoi(point + 1) : 0;
}

/* Not asked for, as dlsym would keep a message for dlerror(3), for which it allocates; and the
 * first who calls us may be an allocator that is only beginning. */
static bool is_newer_than_libc(const char *version)
{
    return minor_version(version) > minor_version(gnu_get_libc_version());
}

void *lh_real(const char *name, const char *version)
{
    bool versioned = version[0] != '\0' && lh_libc_is_known();
    if (versioned && is_newer_than_libc(version))
        return (void *)(size_t)missing;
    void *found = versioned ? dlvsym(RTLD_NEXT, name, version) : NULL;
    if (found == NULL)
        found = dlsym(RTLD_NEXT, name);
    return found != NULL ? found : (void *)(size_t)missing;
}

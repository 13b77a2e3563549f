/* The functions behind our names. Runs on the program's threads, at the first call of each function
 * before our constructor has run, else in it. */
#include "preload/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

/* Takes any arguments: in the System V ABI the caller cleans up. */
static long missing(void)
{
    errno = ENOSYS;
    return -1;
}

void *lh_real(const char *name, const char *version)
{
    void *found = version[0] != '\0' ? dlvsym(RTLD_NEXT, name, version) : NULL;
    if (found == NULL)
        found = dlsym(RTLD_NEXT, name);
    return found != NULL ? found : (void *)(size_t)missing;
}

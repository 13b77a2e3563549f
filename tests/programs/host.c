/* SPDX-License-Identifier: Apache-2.0 */
/* A program that does nothing but load libraries, whose constructors do. HOST_OPENS names one to
 * be opened by dlopen(3); others are preloaded. A host_main() of theirs is called. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    const char *path = getenv("HOST_OPENS");
    if (path != NULL && dlopen(path, RTLD_NOW) == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 3;
    }
    int (*work)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "host_main");
    return work != NULL ? work() : 0;
}

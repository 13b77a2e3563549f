/* SPDX-License-Identifier: Apache-2.0 */
#include "collect/sys/lazy.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_NO_LIBRARY 127 /* ld.so's */

static const struct {
    const char *name;
    const char *library;
} functions[] = {
#define FUNCTION(name, library) {#name, library},
#include "lazy_libraries.def"
#undef FUNCTION
};

extern void *lh_lazy_slots[]; /* one for each function, in their order */

static long nothing(void)
{
    return 0;
}

static void *do_without(const char *library, const char *why)
{
    static _Atomic unsigned said;
    bool for_stacks = strncmp(library, "libdw.", 6) == 0 || strncmp(library, "libelf.", 7) == 0 ||
                      strncmp(library, "libunwind", 9) == 0;
    if (!for_stacks || atomic_fetch_add(&said, 1) == 0)
        fprintf(stderr, "loophound: %s%s\n", why, for_stacks ? "; stacks are told without it" : "");
    if (!for_stacks)
        exit(EXIT_NO_LIBRARY);
    return (void *)(size_t)nothing;
}

void *lh_lazy_find(void **slot)
{
    size_t index = (size_t)(slot - lh_lazy_slots);
    void *library = dlopen(functions[index].library, RTLD_LAZY | RTLD_LOCAL);
    void *found = library != NULL ? dlsym(library, functions[index].name) : NULL;
    if (found == NULL) /* not for ever: there may be no descriptor left at this moment */
        return do_without(functions[index].library, dlerror());
    __atomic_store_n(slot, found, __ATOMIC_RELEASE);
    return found;
}

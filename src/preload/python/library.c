/* SPDX-License-Identifier: Apache-2.0 */
/* Where the interpreter's symbols are. Runs on the program's threads: in our constructor, and when
 * a thread becomes a loop thread. */
#include "preload/python/library.h"

#include <dlfcn.h>
#include <limits.h>

#include "preload/sys/symbols.h"

/* Any name that no library has but the one that defines the interpreter. */
#define SOME_SYMBOL "Py_IsInitialized"

/* Not before whoever is loading it has relocated it: the loader's lock. */
static bool keep_loaded(const char *path)
{
    return path[0] == '\0' || dlopen(path, RTLD_NOW | RTLD_NOLOAD) != NULL;
}

bool lh_python_library_look(void)
{
    struct lh_symbol some;
    char path[PATH_MAX];
    return lh_symbol_find(LH_SYMBOL_ANYWHERE, SOME_SYMBOL, NULL, &some) == 0 &&
           lh_object_path((uintptr_t)some.address, path, sizeof(path)) == 0 && keep_loaded(path);
}

void *lh_python_symbol(const char *name, size_t *size)
{
    struct lh_symbol found = {NULL, 0, 0};
    lh_symbol_find(LH_SYMBOL_ANYWHERE, name, NULL, &found);
    if (size != NULL)
        *size = found.size;
    return found.address;
}

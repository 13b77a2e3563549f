/* Where the interpreter's symbols are. Runs on the program's threads: in our constructor, and when
 * a thread becomes a loop thread. */
#include "preload/python_library.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

/* Any name that no library has but the one that defines the interpreter. */
#define SOME_SYMBOL "Py_IsInitialized"

#pragma weak dladdr1 /* glibc's own: real.c */

static void *_Atomic library; /* NULL: RTLD_DEFAULT */

struct search {
    char path[1024]; /* "" while none is found */
};

/* Runs under the loader's lock, so the library is opened later. */
static int note_libpython(struct dl_phdr_info *info, size_t size, void *data)
{
    static const char prefix[] = "libpython";
    struct search *search = data;
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash != NULL ? slash + 1 : info->dlpi_name;
    size_t length = strlen(info->dlpi_name);
    (void)size;
    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 || length >= sizeof(search->path))
        return 0;
    memcpy(search->path, info->dlpi_name, length + 1);
    return 1;
}

/* Only its user sees it. */
static void open_library(const char *path)
{
    void *opened = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    void *nothing = NULL;
    if (opened == NULL)
        return;
    if (dlsym(opened, SOME_SYMBOL) == NULL ||
        !atomic_compare_exchange_strong(&library, &nothing, opened))
        dlclose(opened); /* no interpreter after all, or another thread was first */
}

bool lh_python_library_look(void)
{
    static _Atomic bool looked;
    struct search search = {""};
    if (!atomic_exchange(&looked, true) && lh_python_symbol(SOME_SYMBOL) != NULL)
        return true;
    /* Its lock is another one, which no constructor runs under. */
    dl_iterate_phdr(note_libpython, &search);
    if (search.path[0] == '\0')
        return false;
    if (lh_python_symbol(SOME_SYMBOL) == NULL)
        open_library(search.path);
    return lh_python_symbol(SOME_SYMBOL) != NULL;
}

void *lh_python_symbol(const char *name)
{
    void *opened = atomic_load(&library);
    return dlsym(opened != NULL ? opened : RTLD_DEFAULT, name);
}

size_t lh_python_symbol_size(const void *address)
{
    const ElfW(Sym) *symbol = NULL;
    Dl_info info;
    if (address == NULL || dladdr1 == NULL ||
        dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0)
        return 0;
    return symbol != NULL ? symbol->st_size : 0;
}

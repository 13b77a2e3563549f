/* Where the interpreter's symbols are. */
#ifndef LH_PRELOAD_PYTHON_LIBRARY_H
#define LH_PRELOAD_PYTHON_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* Looks for an interpreter: the program itself or a library that all can see (RTLD_GLOBAL), else a
 * loaded libpython that only its user sees (RTLD_LOCAL, as plugins are opened). Such a library then
 * stays loaded. True: there is one. On a program's thread, outside the fast path.
 *
 * dlsym(3) and dlopen(3) take the loader's lock, which another thread has for as long as the
 * constructors of what it opens may run; one that waits for the calling thread would wait for ever.
 * So this is done once in our set-up, and later only where a libpython has come since. */
bool lh_python_library_look(void);

/* The address of an interpreter's symbol, or NULL. Takes that lock. */
void *lh_python_symbol(const char *name);

/* The size of the object or function at this address, from the symbol table; 0: not known. Takes
 * that lock. */
size_t lh_python_symbol_size(const void *address);

#endif

/* Where the interpreter's symbols are. */
#ifndef LH_PRELOAD_PYTHON_LIBRARY_H
#define LH_PRELOAD_PYTHON_LIBRARY_H

#include <stddef.h>

/* Looks for an interpreter: the program itself or a library that all can see (RTLD_GLOBAL), else a
 * loaded libpython that only its user sees (RTLD_LOCAL, as plugins are opened). Such a library then
 * stays loaded. Uses dlopen(3) with RTLD_NOLOAD, which takes the loader's lock: on a program's
 * thread, outside the fast path. */
void lh_python_library_look(void);

/* The address of an interpreter's symbol, or NULL. Likewise. */
void *lh_python_symbol(const char *name);

/* The size of the object or function at this address, from the symbol table; 0: not known. */
size_t lh_python_symbol_size(const void *address);

#endif

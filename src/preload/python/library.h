/* SPDX-License-Identifier: Apache-2.0 */
/* Where the interpreter's symbols are. */
#ifndef LH_PRELOAD_PYTHON_LIBRARY_H
#define LH_PRELOAD_PYTHON_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/* Looks for an interpreter: the program itself, or a libpython, which only its user may see
 * (RTLD_LOCAL, as plugins are opened) and which stays loaded from now on. True: there is one. On a
 * program's thread, outside the fast path, until it says true.
 *
 * dlopen(3) takes the loader's lock, which another thread has for as long as the constructors of
 * what it opens may run; one that waits for the calling thread would wait for ever. So that is done
 * only where there is a libpython. */
bool lh_python_library_look(void);

/* The address of an interpreter's symbol, or NULL; and its size in bytes, 0: not known. */
void *lh_python_symbol(const char *name, size_t *size);

#endif

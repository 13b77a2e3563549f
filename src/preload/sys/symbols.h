/* SPDX-License-Identifier: Apache-2.0 */
/* Where a symbol of this process is: what dlsym(3), dlvsym(3) and dladdr(3) would say. Those stand
 * in libdl before glibc 2.34, which a program need not have, and have another version since.
 *
 * Any thread; allocates nothing. Takes the lock of dl_iterate_phdr(3), which no constructor runs
 * under, so it waits for no other thread's dlopen(3). Not in a signal handler, and not where a
 * thread that is gone may have had the lock (the child of a raw fork). What is found in an object
 * that was noted is found without a lock: there and everywhere. */
#ifndef LH_PRELOAD_SYS_SYMBOLS_H
#define LH_PRELOAD_SYS_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

enum lh_symbol_scope {
    LH_SYMBOL_ANYWHERE, /* in any object of this namespace, in the order in which they were loaded
                         */
    LH_SYMBOL_AFTER_US, /* in those after this library: RTLD_NEXT */
    LH_SYMBOL_NOTED,    /* the same, but of them only those that were noted: takes no lock */
};

struct lh_symbol {
    void *address;
    size_t size;      /* bytes; 0: the object does not say */
    uintptr_t object; /* the load address of the object that defines it */
};

/* The first definition of `name`: with version NULL the default one of its object, else that
 * version, or one in an object that has no versions. 0, or -ENOENT. */
int lh_symbol_find(enum lh_symbol_scope scope, const char *name, const char *version,
                   struct lh_symbol *found);

/* Notes the objects after this library, up to the one that has the address `last` in it. They have
 * to be there since the program's start, for then none of them ever goes. Once, in our constructor.
 * Where they are many, or there is no such object, nothing is noted. */
void lh_symbols_note(uintptr_t last);

/* How many objects have been loaded since the program began (dl_iterate_phdr(3)): while that is the
 * same, a name that was nowhere is nowhere. 0: it is not known. Takes the dynamic linker's lock. */
uint64_t lh_symbols_loads(void);

/* The path, as the dynamic linker knows it ("" for the program itself), of the object that has
 * `address` in it. 0, -ENOENT, or -ENAMETOOLONG. */
int lh_object_path(uintptr_t address, char *path, size_t size);

/* The code that `address` is in, of the object that has it. 0, or -ENOENT. */
int lh_object_code(uintptr_t address, uintptr_t *from, uintptr_t *to);

#endif

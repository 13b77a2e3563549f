/* SPDX-License-Identifier: Apache-2.0 */
/* The functions behind our names. Runs on the program's threads, at the first call of each
 * function, which may be in a signal handler or in a child of vfork. */
#include "preload/sys/libc.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "preload/sys/symbols.h"

/* A program of another libc must not die of us: musl's dynamic linker loads the library where it
 * can resolve every symbol that is not weak; it takes our libc.so.6 for itself. */
#pragma weak gnu_get_libc_version

bool lh_libc_is_known(void)
{
    return gnu_get_libc_version != NULL;
}

/* Takes any arguments: in the System V ABI the caller cleans up. */
static long lacks_it(void)
{
    errno = ENOSYS;
    return -1;
}

/* "GLIBC_2.38" and "2.38": the minor number; the major one has been 2 since 1997. */
static int minor_version(const char *version)
{
    const char *point = strchr(version, '.');
    int number = 0;
    for (const char *at = point; at != NULL && at[1] >= '0' && at[1] <= '9'; at++)
        number = 10 * number + (at[1] - '0');
    return number;
}

static bool is_newer_than_libc(const char *version)
{
    return minor_version(version) > minor_version(gnu_get_libc_version());
}

static void *real_in(enum lh_symbol_scope scope, const char *name, const char *version)
{
    struct lh_symbol found = {NULL, 0, 0};
    bool versioned = version[0] != '\0' && lh_libc_is_known();
    if (versioned && is_newer_than_libc(version))
        return (void *)(size_t)lacks_it;
    if (versioned && lh_symbol_find(scope, name, version, &found) == 0)
        return found.address;
    if (lh_symbol_find(scope, name, NULL, &found) == 0)
        return found.address;
    return (void *)(size_t)lacks_it;
}

void *lh_real(const char *name, const char *version)
{
    return real_in(LH_SYMBOL_AFTER_US, name, version);
}

void *lh_real_noted(const char *name, const char *version)
{
    return real_in(LH_SYMBOL_NOTED, name, version);
}

/* Since 2.34 libpthread, libdl, librt, libanl and libutil are in it: its NEWS. */
#define WHOLE_SINCE 34

bool lh_libc_note(void)
{
    if (!lh_libc_is_known())
        return false;
    lh_symbols_note((uintptr_t)gnu_get_libc_version);
    return minor_version(gnu_get_libc_version()) >= WHOLE_SINCE;
}

bool lh_libc_has(const void *function)
{
    return function != (void *)(size_t)lacks_it;
}

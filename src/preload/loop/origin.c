/* SPDX-License-Identifier: Apache-2.0 */
/* Which library a call comes from. See origin.h. Runs on the program's threads. */
#include "preload/loop/origin.h"

#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "preload/state/image.h"

#define SITES 64 /* call sites of the process that are remembered */

/* By the begin of the file's name. */
static const struct library {
    const char *name;
    enum lh_origin origin;
} libraries[] = {
    {"libglib-2.0.so", LH_ORIGIN_LOOP}, {"libQt5Core.so", LH_ORIGIN_LOOP},
    {"libQt6Core.so", LH_ORIGIN_LOOP},  {"libevent-", LH_ORIGIN_LOOP},
    {"libevent_core-", LH_ORIGIN_LOOP}, {"libev.so", LH_ORIGIN_LOOP},
    {"libcurl", LH_ORIGIN_SYNCHRONOUS},
};

/* What was looked up last of the sites that share a place: the site, and in ORIGIN_BITS its origin.
 */
#define ORIGIN_BITS 2
static _Atomic uint64_t known[SITES];

/* The file that the code at an address comes from. */
struct search {
    uintptr_t site;
    const char *path; /* NULL: not found yet */
};

static int note_path(struct dl_phdr_info *info, size_t size, void *data)
{
    struct search *search = data;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD &&
            search->site - (info->dlpi_addr + part->p_vaddr) < part->p_memsz)
            search->path = info->dlpi_name;
    }
    return search->path != NULL;
}

/* Not by dladdr(3), whose lock another thread may have for as long as it is in dlopen(3): see
 * python/library.h. */
static enum lh_origin look_up(uintptr_t site)
{
    struct search search = {site, NULL};
    if (dl_iterate_phdr(note_path, &search) == 0)
        return LH_ORIGIN_ANY;
    const char *slash = strrchr(search.path, '/');
    const char *name = slash != NULL ? slash + 1 : search.path;
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++)
        if (strncmp(name, libraries[i].name, strlen(libraries[i].name)) == 0)
            return libraries[i].origin;
    return LH_ORIGIN_ANY;
}

enum lh_origin lh_origin_of(uintptr_t site)
{
    _Atomic uint64_t *place = &known[(site ^ site >> 6) % SITES];
    uint64_t found = atomic_load_explicit(place, memory_order_relaxed);
    if (found >> ORIGIN_BITS == site)
        return (enum lh_origin)(found & ((1u << ORIGIN_BITS) - 1));
    if (!lh_image_may_look_up())
        return LH_ORIGIN_ANY;
    enum lh_origin origin = look_up(site);
    atomic_store_explicit(place, (uint64_t)site << ORIGIN_BITS | origin, memory_order_relaxed);
    return origin;
}

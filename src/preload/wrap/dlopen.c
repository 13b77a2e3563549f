/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls dlopen(3): see dlopen.h. */
#include "preload/wrap/dlopen.h"

#include <link.h>
#include <stddef.h>
#include <string.h>

static const ElfW(Dyn) * dynamic_section(const struct dl_phdr_info *info)
{
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    return NULL;
}

/* Where both are there, DT_RPATH is ignored. */
static int has_rpath(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    bool rpath = false, runpath = false;
    const ElfW(Dyn) *entry = info->dlpi_name[0] != '\0' ? dynamic_section(info) : NULL;
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++) {
        rpath |= entry->d_tag == DT_RPATH;
        runpath |= entry->d_tag == DT_RUNPATH;
    }
    return rpath && !runpath;
}

bool lh_dlopen_is_the_same_for_all(const char *path)
{
    if (path == NULL || strchr(path, '/') == NULL || strchr(path, '$') != NULL)
        return false;
    return dl_iterate_phdr(has_rpath, NULL) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What is mapped where in a watched process: /proc/PID/maps (proc_pid_maps(5)) and the ELF files
 * behind it. One thread at a time for one lh_modules. */
#ifndef LH_COLLECT_STACK_MODULES_H
#define LH_COLLECT_STACK_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/stack/module_file.h"

struct lh_mapping {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset;
    uint32_t module;
    bool executable;
};

struct lh_modules {
    pid_t pid;
    int maps_fd;         /* -1: there is none */
    uint32_t generation; /* raised whenever the map has changed */
    uint64_t text_sum;   /* of what lh_modules_refresh() has read; 0: of a text that was given */
    struct lh_mapping *mappings; /* by address */
    uint32_t mapping_count;
    struct lh_module *modules;
    uint32_t module_count;
};

/* Reads the map; `maps_fd` is owned by `modules` from now on. */
void lh_modules_open(struct lh_modules *modules, pid_t pid, int maps_fd);
void lh_modules_close(struct lh_modules *modules);

/* Reads the map again. Where nothing can be read, as the process is gone, the last one stays.
 * Returns 0, -ESRCH in that case, or another negative errno. */
int lh_modules_refresh(struct lh_modules *modules);

/* Takes over the map given as text. Returns 0, -ESRCH when there is no mapping in it, or -ENOMEM.
 */
int lh_modules_parse(struct lh_modules *modules, const char *text, size_t length);

/* The mapping an address lies in, or NULL. Only mappings of modules are known. */
const struct lh_mapping *lh_modules_find(const struct lh_modules *modules, uint64_t address);

/* The ELF file of a mapping, opened at the first question. NULL: it cannot be had. */
struct lh_elf *lh_modules_elf(struct lh_modules *modules, const struct lh_mapping *mapping);

#endif

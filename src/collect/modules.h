/* What is mapped where in a watched process: /proc/PID/maps (proc_pid_maps(5)) and the ELF files
 * behind it. One thread at a time for one lh_modules. */
#ifndef LH_COLLECT_MODULES_H
#define LH_COLLECT_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/elf_file.h"

/* A file of which some part is mapped executable, or code without a file. */
struct lh_module {
    char *path;         /* without " (deleted)"; NULL: anonymous memory */
    struct lh_elf *elf; /* by lh_modules_elf */
    dev_t device;
    ino_t inode;
    uint64_t start; /* of its first executable mapping: the name in /proc/PID/map_files */
    uint64_t end;
    bool deleted;
    bool elf_tried;
};

struct lh_mapping {
    uint64_t start;
    uint64_t end;
    uint64_t file_offset;
    uint32_t module;
    bool executable;
};

struct lh_modules {
    pid_t pid;
    int maps_fd;                 /* -1: there is none */
    uint32_t generation;         /* raised whenever the map has changed */
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

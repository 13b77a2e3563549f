/* SPDX-License-Identifier: Apache-2.0 */
/* From a mapping's file name to the file itself. */
#ifndef LH_COLLECT_STACK_MODULE_FILE_H
#define LH_COLLECT_STACK_MODULE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/stack/elf_file.h"

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

/* Opens the very file that is mapped, also in another mount namespace and, where the kernel allows
 * it (CAP_CHECKPOINT_RESTORE), after it was deleted. NULL: it cannot be had. */
struct lh_elf *lh_module_file_open(const struct lh_module *module, pid_t pid);

#endif

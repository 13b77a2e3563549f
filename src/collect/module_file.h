/* From a mapping's file name to the file itself. */
#ifndef LH_COLLECT_MODULE_FILE_H
#define LH_COLLECT_MODULE_FILE_H

#include <sys/types.h>

#include "collect/modules.h"

/* Opens the very file that is mapped, also in another mount namespace and, where the kernel allows
 * it (CAP_CHECKPOINT_RESTORE), after it was deleted. NULL: it cannot be had. */
struct lh_elf *lh_module_file_open(const struct lh_module *module, pid_t pid);

#endif

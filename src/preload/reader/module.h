/* SPDX-License-Identifier: Apache-2.0 */
/* Which ELF file an address belongs to, for raw lines. Runs on the watchdog: raw system calls,
 * memory read safely. */
#ifndef LH_PRELOAD_READER_MODULE_H
#define LH_PRELOAD_READER_MODULE_H

#include <stdint.h>

struct lh_module {
    uint64_t bias;     /* address minus what the file's symbol table would say */
    char path[1024];   /* "": not known */
    char build_id[41]; /* hexadecimal, "": none */
};

/* Looks `address` up in /proc/self/maps. What is not known stays "" or 0. */
void lh_module_find(uint64_t address, struct lh_module *module);

#endif

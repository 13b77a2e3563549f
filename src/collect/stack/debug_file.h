/* SPDX-License-Identifier: Apache-2.0 */
/* Where separate debug files are found. */
#ifndef LH_COLLECT_STACK_DEBUG_FILE_H
#define LH_COLLECT_STACK_DEBUG_FILE_H

#include <elfutils/libdwfl.h>
#include <stdbool.h>

/* Dwfl_Callbacks.find_debuginfo: by build-id, then by the debug link's name and checksum, as gdb
 * does ("Debugging Information in Separate Files"). libdw's own standard callback would ask a
 * debuginfod server when DEBUGINFOD_URLS is set. A file that does not fit (below) is not found. */
int lh_debug_file_find(Dwfl_Module *module, void **user_data, const char *name, Dwarf_Addr base,
                       const char *file_name, const char *debug_link, GElf_Word debug_link_crc,
                       char **found_name);

/* Is the debug information of the file behind `fd`, which stays the caller's, no more than
 * LH_DEBUG_BYTES_MAX where it is compressed? It is unpacked in memory, and a small file may hold
 * any amount of it. */
#define LH_DEBUG_BYTES_MAX (256u << 20)
bool lh_debug_file_fits(int fd);

#endif

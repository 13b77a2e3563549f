/* SPDX-License-Identifier: Apache-2.0 */
/* Names of code that was made at run time: /tmp/perf-PID.map, as Node.js --perf-basic-prof, the
 * JVM's agents, .NET, PyPy and LuaJIT write it for perf(1)
 * (tools/perf/Documentation/jit-interface.txt in the kernel's tree). One thread at a time for one
 * lh_jit_map. */
#ifndef LH_COLLECT_STACK_JIT_MAP_H
#define LH_COLLECT_STACK_JIT_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/stack/jit_name.h"

struct lh_jit_map;

/* The map of this process, opened at the first question; it must be no link, as new as the process
 * at least, and belong to the owner of the file `maps_fd` (/proc/PID/maps, stays the caller's), or
 * to root. NULL: out of memory. */
struct lh_jit_map *lh_jit_map_new(pid_t pid, int maps_fd);
void lh_jit_map_free(struct lh_jit_map *map);

/* What was found is not looked at any more: the names may be forgotten, of which there are
 * LH_JIT_NAME_BYTES at most before. */
#define LH_JIT_NAME_BYTES (4u << 20)
void lh_jit_map_let_go(struct lh_jit_map *map);

/* The same of all that is kept of it; the next question reads the map again. */
void lh_jit_map_give_up(struct lh_jit_map *map);

/* Was a map found that is older than the process, and so is another one's? It is not used. */
bool lh_jit_map_is_old(const struct lh_jit_map *map);

/* The code that was put last where `address` is, also if it was a moment ago. What is found is
 * valid until lh_jit_map_let_go(). False: there is no such name. */
bool lh_jit_map_find(struct lh_jit_map *map, uint64_t address, struct lh_jit_symbol *found);

/* The code that begins in (address, address + reach]: of an interpreted function, whose object is
 * known and begins a little before its code. */
bool lh_jit_map_find_behind(struct lh_jit_map *map, uint64_t address, uint64_t reach,
                            struct lh_jit_symbol *found);

#endif

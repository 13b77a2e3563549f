/* SPDX-License-Identifier: Apache-2.0 */
/* The name of an output with its %p, %h, %e and %% filled in.
 *
 * Used by the collector, and by the watchdog for raw lines: no malloc, no stdio, no thread-local
 * storage. */
#ifndef LH_COMMON_OUTPUT_NAME_H
#define LH_COMMON_OUTPUT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/utsname.h>

#include "common/ring.h"

/* The path of header->options.output for this program: %p its pid, %h the host, %e its executable's
 * name, %% a %; other letters stay as they are. With `below_cwd` a relative name starts at the
 * program's working directory. `header` is trusted: a private copy or our own.
 * Returns 0 or -ENAMETOOLONG. */
int lh_output_name(char *path, size_t size, const struct lh_ring *header, bool below_cwd);

/* The name of this machine; NULL: the kernel does not say. Valid as long as `names`. */
const char *lh_host_name(struct utsname *names);

/* Does the name of an output hold its program's pid, so that no other program has the same? */
bool lh_output_has_pid(const char *name);

#endif

/* The name of an output with its %p, %h, %e and %% filled in.
 *
 * Used by the collector, and by the watchdog for raw lines: no malloc, no stdio, no thread-local
 * storage. */
#ifndef LH_COMMON_OUTPUT_NAME_H
#define LH_COMMON_OUTPUT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ring.h"

/* The path of header->options.output for this program: %p its pid, %h the host, %e its executable's
 * name, %% a %; other letters stay as they are. With `below_cwd` a relative name starts at the
 * program's working directory. `header` is trusted: a private copy or our own.
 * Returns 0 or -ENAMETOOLONG. */
int lh_output_name(char *path, size_t size, const struct lh_ring *header, bool below_cwd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a watched process is a part of: the boot of the machine, a project, a runtime. */
#ifndef LH_COLLECT_LINK_SURROUNDINGS_H
#define LH_COLLECT_LINK_SURROUNDINGS_H

#include "collect/stack/stack.h"
#include "common/ring.h"

/* Fills in these members of the collector's copy of the header; what cannot be found stays "".
 * Reads files, with the rights that the calling thread has.
 *
 * The root is the nearest directory, from the working directory up, that a version control system
 * keeps; else the nearest in which a package begins (pyproject.toml, package.json ...). */
void lh_surroundings_find(struct lh_ring *header, const struct lh_stacks *stacks);

#endif

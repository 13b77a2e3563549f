/* SPDX-License-Identifier: Apache-2.0 */
/* loophound report --tree: where the time went, from the outermost of the user's functions to the
 * calls. Main thread. */
#ifndef LH_CLI_REPORT_TREE_H
#define LH_CLI_REPORT_TREE_H

#include <stdint.h>

#include "cli/export/model.h"

/* Prints it. `all`: also what is less than a hundredth of the whole. 0 or -ENOMEM. */
int lh_report_tree(const struct lh_export_model *model, bool all);

#endif

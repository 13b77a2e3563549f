/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of loophound rules. All runs on the command's main thread. */
#ifndef LH_CLI_RULES_H
#define LH_CLI_RULES_H

#include "collect/report/rule_set.h"

/* Says which rule would keep which of the reports in `events` (JSON Lines; "-": standard input)
 * quiet, and which rules match none. 0, or the exit status once it has said what is wrong. */
int lh_rules_explain(const char *events, const struct lh_rule_set *set);

#endif

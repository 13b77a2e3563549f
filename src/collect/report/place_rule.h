/* SPDX-License-Identifier: Apache-2.0 */
/* The rule of a baseline that stands for a place. Collector and command, any thread. */
#ifndef LH_COLLECT_REPORT_PLACE_RULE_H
#define LH_COLLECT_REPORT_PLACE_RULE_H

#include "common/rules.h"

#define LH_PLACE_RULE_BYTES 1024

/* "call:open place:app/views.py:show": the call, or that it is a stall, and the frame that the
 * report points at, its file from `cwd` or the directory of installed packages on. No line number
 * and no duration is in it. What a rule cannot have becomes `?`. False: there is no stack, or the
 * rule does not fit. */
bool lh_place_rule(const struct lh_rule_facts *facts, const char *cwd,
                   char rule[LH_PLACE_RULE_BYTES]);

#endif

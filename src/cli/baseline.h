/* SPDX-License-Identifier: Apache-2.0 */
/* Files of known places, as loophound run --update-baseline writes them. Main thread. */
#ifndef LH_CLI_BASELINE_H
#define LH_CLI_BASELINE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/rules.h"

/* Does the file begin as one? It is read from where it stands. */
bool lh_begins_as_baseline(FILE *file);

/* The same of a name. False also where it cannot be read. */
bool lh_is_baseline(const char *name);

/* "open" and "app/views.py show" of a rule of a baseline; of any other rule its text is where. Both
 * are clean: lh_text_clean(). */
void lh_baseline_place(const struct lh_rule *rule, struct lh_text *what, struct lh_text *where);

/* What its first line begins with. */
extern const char lh_baseline_begin[];

#endif

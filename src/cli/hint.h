/* SPDX-License-Identifier: Apache-2.0 */
/* What to type next. Main thread. */
#ifndef LH_CLI_HINT_H
#define LH_CLI_HINT_H

#include <stddef.h>
#include <stdio.h>

/* "see it: loophound export -f html hits.jsonl -o hits.html", for these files of events. Nothing
 * where there is nobody to read it, for `to` is no terminal, or where a name would not get through
 * a shell as it is. */
void lh_hint_see(FILE *to, const char *const *files, size_t count);

#endif

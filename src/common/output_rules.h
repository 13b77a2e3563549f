/* SPDX-License-Identifier: Apache-2.0 */
/* Which files may be an output: never one that somebody else has prepared for us.
 *
 * Used by the collector, by `run`, and by the watchdog for raw lines: no malloc, no stdio. */
#ifndef LH_COMMON_OUTPUT_RULES_H
#define LH_COMMON_OUTPUT_RULES_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

/* How outputs are opened: open(2). Nothing waits for a reader. */
#define LH_OUTPUT_FLAGS (O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Its creator and root may read reports, who may open them to others: umask(2) still counts. */
#define LH_OUTPUT_MODE 0600

/* May others than `self` (a user id) and root make names in this directory? There a link is not
 * followed, and what is there already is used only if it is ours. */
bool lh_output_is_shared(const struct stat *directory, uid_t self);

/* May this file, which was opened, be written to? `shared`: it is in such a directory. 0, or
 * -EPERM: it is another user's, -EMLINK: it has other names, which somebody else may have given it.
 */
int lh_output_refusal(const struct stat *file, bool shared, uid_t self);

/* What is wrong, for people: of the above, of -ELOOP (a link that was not followed), or NULL. */
const char *lh_output_refusal_text(int error);

#endif

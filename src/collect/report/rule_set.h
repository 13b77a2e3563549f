/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from files and variables, and who of them matches. Collector and command. */
#ifndef LH_COLLECT_REPORT_RULE_SET_H
#define LH_COLLECT_REPORT_RULE_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rules.h"

#define LH_RULE_FILE_BYTES    (1u << 20) /* the longest file */
#define LH_RULE_PROBLEM_BYTES 1024u      /* the line about what is wrong */

struct lh_rule_set {
    struct lh_rule *rules; /* in the order in which they were read */
    uint32_t count;
    void *kept; /* the texts that they point into */
};

/* Each adds rules, or none where something is wrong: then `problem` gets the line about it, which
 * ends with `now` and a newline. 0, or a negative errno: -EINVAL a rule is none, or that of open(2)
 * and read(2). A relative name begins at `cwd`, "": here. One thread. */
int lh_rule_set_add_file(struct lh_rule_set *set, const char *name, const char *cwd,
                         const char *now, struct lh_text *problem);

/* Rules that a variable has, whose `name` is said in the place of a file. Semicolons end them, too.
 */
int lh_rule_set_add_text(struct lh_rule_set *set, const char *name, const char *rules,
                         const char *now, struct lh_text *problem);

/* Several files, separated by colons. Goes on behind what is wrong; returns the first error. */
int lh_rule_set_add_files(struct lh_rule_set *set, const char *paths, const char *cwd,
                          const char *now, struct lh_text *problem);

/* All of a file, which the caller frees. 0, or a negative errno that lh_rule_file_problem() has
 * words for. */
int lh_rule_file_read(const char *path, char **text, size_t *length);
const char *lh_rule_file_problem(int error);

void lh_rule_set_free(struct lh_rule_set *set);

/* The first rule that keeps this quiet; NULL: none does, or one that begins with `!` matches.
 * Raises uses[i] of each that matches (`uses` may be NULL). Any thread. */
const struct lh_rule *lh_rule_set_find(const struct lh_rule_set *set,
                                       const struct lh_rule_facts *facts, uint64_t *uses);

/* Does one that begins with `!` match? Any thread. */
bool lh_rule_set_wants(const struct lh_rule_set *set, const struct lh_rule_facts *facts);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What loophound doctor has found, and how it is printed. The command's main thread. */
#ifndef LH_CLI_DOCTOR_FINDINGS_H
#define LH_CLI_DOCTOR_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum lh_state {
    LH_OK,   /* all of this will be seen */
    LH_WARN, /* it may be seen worse, or comes out elsewhere than expected */
    LH_MISS, /* this will not be seen */
    LH_STATES
};

#define LH_FINDINGS_MAX  48u
#define LH_FINDING_BYTES 768u

struct lh_finding {
    const char *check; /* its row in checks.def */
    enum lh_state state;
    bool blind; /* nothing at all will be seen */
    char text[LH_FINDING_BYTES];
    char todo[LH_FINDING_BYTES]; /* what to type; "": nothing */
};

struct lh_findings {
    const char *check; /* whose findings come next */
    bool alone;        /* they are about the installation itself */
    uint32_t count;
    struct lh_finding rows[LH_FINDINGS_MAX];
};

/* Adds one. More than LH_FINDINGS_MAX are left out: each check has a few at most. */
void lh_find(struct lh_findings *findings, enum lh_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, of something for which nothing at all is seen. */
void lh_find_blind(struct lh_findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What to type about the one that was added last. */
void lh_find_todo(struct lh_findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

uint32_t lh_findings_count(const struct lh_findings *findings, enum lh_state state);
bool lh_findings_blind(const struct lh_findings *findings);

/* For people: a line or a few for each, and the sum. */
void lh_findings_print(const struct lh_findings *findings, FILE *to);

/* One object, in a line. `pid` 0: it is about `command`, and where that is NULL about neither. 0 or
 * -ENOMEM. */
int lh_findings_print_json(const struct lh_findings *findings, char *const *command, int pid,
                           FILE *to);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of loophound doctor: a row in checks.def, and a function here. Each adds what it finds
 * in a line or two, and nothing where there is nothing to be said. The command's main thread. */
#ifndef LH_CLI_DOCTOR_CHECKS_H
#define LH_CLI_DOCTOR_CHECKS_H

#include "cli/doctor/findings.h"
#include "cli/doctor/subject.h"

#define CHECK(name, about, doc)                                                                    \
    void lh_check_##name(const struct lh_subject *subject, struct lh_findings *findings);
#include "cli/doctor/checks.def"

/* --trial: two seconds of the command under `loophound run`, and what was seen in them. 0, or a
 * negative errno. */
int lh_doctor_trial(const struct lh_subject *subject, struct lh_findings *findings);

#endif

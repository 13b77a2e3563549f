/* SPDX-License-Identifier: Apache-2.0 */
/* A result of SARIF and its rule, for sarif.c alone. Main thread. */
#ifndef LH_CLI_EXPORT_SARIF_RESULT_H
#define LH_CLI_EXPORT_SARIF_RESULT_H

#include "cli/export/model.h"
#include "cli/export/put.h"

#define LH_SARIF_RULE_BYTES 64
#define LH_SARIF_URI_BYTES  (3 * LH_EXPORT_PATH_BYTES + 8)

/* ruff's code where the advice has one ("ASYNC251"), else "blocked/" and the group, or "stall". */
void lh_sarif_rule_id(const struct lh_export_model *model, const struct lh_export_place *place,
                      char id[LH_SARIF_RULE_BYTES]);

/* The rule of that place, and of all others with its id. */
void lh_sarif_put_rule(struct lh_put *put, const struct lh_export_model *model, const char *id,
                       const struct lh_export_place *place);

/* `rule`: index of the rule with that id. */
void lh_sarif_put_result(struct lh_put *put, const struct lh_export_model *model,
                         const struct lh_export_place *place, const char *id, uint32_t rule);

/* RFC 3986: "file:///srv/my%20shop/a.py" of an absolute path, else it is relative. */
void lh_sarif_uri(const char *path, char uri[LH_SARIF_URI_BYTES]);

#endif

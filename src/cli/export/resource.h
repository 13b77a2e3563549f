/* SPDX-License-Identifier: Apache-2.0 */
/* What a call was made on, and the labels of a thread, in words. Main thread. */
#ifndef LH_CLI_EXPORT_RESOURCE_H
#define LH_CLI_EXPORT_RESOURCE_H

#include <jansson.h>

#include "cli/export/model.h"

/* "socket 10.0.0.7:443", "file /etc/hosts", "300 ms": a string of the model; 0: there is nothing to
 * name. */
uint32_t lh_resource_text(struct lh_export_model *model, const json_t *resource);

/* "request=17, user=anne"; 0: there are none. */
uint32_t lh_labels_text(struct lh_export_model *model, const json_t *labels);

#endif

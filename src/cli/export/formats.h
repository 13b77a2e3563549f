/* SPDX-License-Identifier: Apache-2.0 */
/* The writers of formats.def: lh_export_folded() and so on, as struct lh_export_format has it. */
#ifndef LH_CLI_EXPORT_FORMATS_H
#define LH_CLI_EXPORT_FORMATS_H

#include "cli/export/model.h"

#define FORMAT(name, extension, binary, doc)                                                       \
    int lh_export_##name(const struct lh_export_model *model, FILE *to);
#include "cli/export/formats.def"

#endif

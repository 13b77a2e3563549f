/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot be told of a script. See script_flaws.h. */
#include "common/script_flaws.h"

static const struct lh_script_flaw_info infos[LH_SCRIPT_FLAW_COUNT] = {
#define SCRIPT_FLAW(id, name, words, sentence) {name, words, sentence},
#include "script_flaws.def"
};

const struct lh_script_flaw_info *lh_script_flaw_info(enum lh_script_flaw flaw)
{
    return &infos[flaw];
}

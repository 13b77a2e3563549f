/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot be told of a script of JavaScript: src/script_flaws.def. Anywhere. */
#ifndef LH_COMMON_SCRIPT_FLAWS_H
#define LH_COMMON_SCRIPT_FLAWS_H

enum lh_script_flaw {
#define SCRIPT_FLAW(id, name, words, sentence) LH_SCRIPT_##id,
#include "script_flaws.def"
    LH_SCRIPT_FLAW_COUNT
};

struct lh_script_flaw_info {
    const char *name;
    const char *words;
    const char *sentence; /* with one %s */
};

const struct lh_script_flaw_info *lh_script_flaw_info(enum lh_script_flaw flaw);

#endif

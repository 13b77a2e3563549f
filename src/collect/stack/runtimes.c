/* SPDX-License-Identifier: Apache-2.0 */
/* The table of runtimes. See runtimes.h. */
#include "collect/stack/runtimes.h"

#include "common/options.h"
#include "common/text.h"

const struct lh_runtime lh_runtimes[LH_RUNTIMES] = {
#define RUNTIME(name, modules, function, sentence) {name, modules, function, sentence},
#include "runtimes.def"
};

bool lh_runtime_has(const struct lh_runtime *runtime, const char *path)
{
    return lh_glob_list_match(runtime->modules, lh_base_name(path));
}

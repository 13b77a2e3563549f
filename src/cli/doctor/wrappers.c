/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that start another one. See wrappers.h. */
#include "cli/doctor/wrappers.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/options.h"
#include "common/text.h"

static const struct lh_wrapper wrappers[] = {
#define WRAPPER(name, effect, takes, operands, text, todo)                                         \
    {name, LH_WRAPPER_##effect, takes, operands, text, todo},
#include "cli/doctor/wrappers.def"
};

const struct lh_wrapper *lh_wrapper_find(const char *path)
{
    const char *name = lh_base_name(path);
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
        if (lh_glob_list_match(wrappers[i].name, name))
            return &wrappers[i];
    return NULL;
}

/* -u NAME: does this flag take the next word? In -uNAME the value stands behind it. */
static bool takes_next(const struct lh_wrapper *wrapper, const char *flag)
{
    for (flag++; *flag != '\0' && *flag != '-'; flag++)
        if (strchr(wrapper->takes, *flag) != NULL)
            return flag[1] == '\0';
    return false;
}

char **lh_wrapper_command(const struct lh_wrapper *wrapper, char **words)
{
    if (wrapper->operands < 0)
        return NULL;
    char **word = words + 1;
    for (; *word != NULL && (*word)[0] == '-'; word++) {
        if (strcmp(*word, "--") == 0) {
            word++;
            break;
        }
        if (takes_next(wrapper, *word) && word[1] != NULL)
            word++;
    }
    for (int i = 0; i < wrapper->operands && *word != NULL; i++)
        word++;
    while (*word != NULL && wrapper->operands == 0 && strchr(*word, '=') != NULL)
        word++; /* env and sudo take NAME=value */
    return *word != NULL ? word : NULL;
}

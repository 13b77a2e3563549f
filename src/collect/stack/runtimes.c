/* SPDX-License-Identifier: Apache-2.0 */
/* The table of runtimes. See runtimes.h. */
#include "collect/stack/runtimes.h"

#include <string.h>

#include "common/options.h"
#include "common/text.h"

const struct lh_runtime lh_runtimes[LH_RUNTIMES] = {
#define RUNTIME(name, modules, version, function, sentence)                                        \
    {name, modules, version, function, sentence},
#include "runtimes.def"
};

bool lh_runtime_has(const struct lh_runtime *runtime, const char *path)
{
    return lh_glob_list_match(runtime->modules, lh_base_name(path));
}

static size_t version_length(const char *text)
{
    size_t length = 0;
    while ((text[length] >= '0' && text[length] <= '9') || (length > 0 && text[length] == '.'))
        length++;
    while (length > 0 && text[length - 1] == '.')
        length--;
    return length;
}

/* Behind the last of such texts, for directories may have such names, too. */
static const char *version_behind(const char *path, const char *text, size_t length)
{
    const char *found = NULL;
    for (; *path != '\0'; path++)
        if (strncmp(path, text, length) == 0 && version_length(path + length) > 0)
            found = path + length;
    return found;
}

bool lh_runtime_version(const struct lh_runtime *runtime, const char *path, char *version,
                        size_t size)
{
    const char *text = runtime->version;
    const char *found = NULL;
    while (text != NULL && *text != '\0' && found == NULL) {
        size_t length = strcspn(text, ",");
        found = version_behind(path, text, length);
        text += length + (text[length] == ',');
    }
    size_t length = found != NULL ? version_length(found) : 0;
    if (length == 0 || length >= size)
        return false;
    memcpy(version, found, length);
    version[length] = '\0';
    return true;
}

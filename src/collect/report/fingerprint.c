/* SPDX-License-Identifier: Apache-2.0 */
/* Fingerprints of places. See fingerprint.h. */
#include "collect/report/fingerprint.h"

#include <string.h>

#include "collect/stack/frame_package.h"
#include "common/fnv.h"
#include "common/qualified_name.h"
#include "common/text.h"

#define BETWEEN "\n" /* is in no name */

static uint64_t add(uint64_t hash, const char *text)
{
    if (text != NULL)
        hash = lh_fnv(hash, text, strlen(text));
    return lh_fnv(hash, BETWEEN, 1);
}

const char *lh_place_file(const char *file, const char *cwd)
{
    const char *packaged = lh_inside_packages(file);
    size_t length = strlen(cwd);
    if (packaged != NULL)
        return packaged;
    return length > 1 && lh_starts_with(file, cwd) && file[length] == '/' ? file + length + 1
                                                                          : file;
}

static uint64_t add_function(uint64_t hash, enum lh_lang lang, const char *function)
{
    char name[LH_QUALIFIED_BYTES];
    if (lang == LH_LANG_PYTHON || function == NULL)
        return add(hash, function);
    lh_qualified_name(function, name);
    return add(hash, name);
}

uint64_t lh_fingerprint(const char *call, const struct lh_frame *frame, const char *api,
                        const char *cwd)
{
    uint64_t hash = add(LH_FNV_START, call);
    if (frame->file != NULL)
        hash = add(hash, lh_place_file(frame->file, cwd));
    else
        hash = add(hash, frame->module != NULL ? lh_base_name(frame->module) : NULL);
    hash = add_function(hash, frame->lang, frame->function);
    if (frame->function == NULL && frame->file == NULL)
        hash = lh_fnv(hash, &frame->offset, sizeof(frame->offset));
    hash = add_function(hash, LH_LANG_NATIVE, api);
    return add(hash, frame->source);
}

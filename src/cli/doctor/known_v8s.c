/* SPDX-License-Identifier: Apache-2.0 */
/* The known versions of V8. See known_v8s.h. */
#include "cli/doctor/known_v8s.h"

#include <stddef.h>

static const uint32_t known[] = {
#define V8_BYTECODES(version, count, ...)
#define V8(version, ...) version,
#include "preload/v8/v8_offsets.def"
};

bool lh_v8_is_known(uint32_t version)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == version)
            return true;
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The row of a V8. Pure: runs anywhere, touches nothing but its arguments. */
#include "preload/v8/offsets.h"

#include <stddef.h>

static const struct row {
    uint32_t version;
    struct lh_v8_offsets at;
} rows[] = {
#define V8_BYTECODES(number, many, ...)
#define V8(number, ...) {.version = number, .at = {__VA_ARGS__}},
#include "preload/v8/v8_offsets.def"
};

#define V8_BYTECODES(number, many, ...) static const uint8_t sizes_##number[] = {__VA_ARGS__};
#define V8(number, ...)
#include "preload/v8/v8_offsets.def"

static const struct sizes {
    uint32_t version;
    struct lh_v8_bytecodes bytecodes;
} bytecodes[] = {
#define V8_BYTECODES(number, many, ...) {.version = number, .bytecodes = {sizes_##number, many}},
#define V8(number, ...)
#include "preload/v8/v8_offsets.def"
};

void lh_v8_offsets_find(uint32_t version, struct lh_v8_layout *layout)
{
    const struct row *best = &rows[0];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].version <= version)
            best = &rows[i];
    *layout = (struct lh_v8_layout){.at = best->at, .has_positions = best->version == version};
    for (size_t i = 0; i < sizeof(bytecodes) / sizeof(bytecodes[0]); i++)
        if (bytecodes[i].version == version)
            layout->bytecodes = bytecodes[i].bytecodes;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Names of perf maps: src/collect/stack/jit_name.c. */

#include "collect/stack/jit_map.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lh_jit_symbol found;
    char *name = malloc(size + 1);
    memcpy(name, data, size);
    name[size] = '\0';
    lh_jit_name_parse(name, &found);
    MUST(found.function != NULL);
    MUST(found.file != NULL || found.line == 0);
    MUST(found.file == NULL || (found.file >= name && found.file <= name + size));
    free(name);
    return 0;
}

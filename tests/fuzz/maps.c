/* SPDX-License-Identifier: Apache-2.0 */
/* Text as if from /proc/PID/maps. */
#include "collect/stack/modules.h"
#include "fuzz.h"

static void check(const struct lh_modules *modules)
{
    for (uint32_t i = 0; i < modules->mapping_count; i++) {
        const struct lh_mapping *mapping = &modules->mappings[i];
        MUST(mapping->module < modules->module_count);
        const struct lh_mapping *found = lh_modules_find(modules, mapping->start);
        MUST(found == NULL || (found->start <= mapping->start && mapping->start < found->end));
        (void)lh_modules_find(modules, mapping->end);
    }
    (void)lh_modules_find(modules, 0);
    (void)lh_modules_find(modules, UINT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct lh_modules modules;
    char *text = malloc(size > 0 ? size : 1); /* not terminated, as what was read is not */
    if (size > 0)
        memcpy(text, bytes, size);
    lh_modules_open(&modules, 0, -1);
    for (int again = 0; again < 2; again++) {
        int error = lh_modules_parse(&modules, text, size);
        MUST(error <= 0);
        check(&modules);
    }
    lh_modules_close(&modules);
    free(text);
    return 0;
}

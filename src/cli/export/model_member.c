/* SPDX-License-Identifier: Apache-2.0 */
/* Members of events: what has the wrong type, or no sense, counts as not there. See tables.h. */
#include "cli/export/tables.h"
#include "common/units.h"

#define DURATION_MAX_NS 1e17 /* three years: what says more is no duration */

uint64_t lh_model_ns(const json_t *object, const char *name)
{
    double ns = json_number_value(json_object_get(object, name)) * (double)LH_NS_PER_MS;
    if (!(ns > 0))
        return 0;
    return ns < DURATION_MAX_NS ? (uint64_t)(ns + 0.5) : (uint64_t)DURATION_MAX_NS;
}

uint64_t lh_model_u64(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value > 0 ? (uint64_t)value : 0;
}

uint32_t lh_model_u32(const json_t *object, const char *name)
{
    uint64_t value = lh_model_u64(object, name);
    return value <= UINT32_MAX ? (uint32_t)value : 0;
}

uint32_t lh_model_text(struct lh_export_model *model, const json_t *object, const char *name)
{
    return lh_intern(model, lh_string_of(object, name));
}

void lh_add_ns(uint64_t *sum, uint64_t ns)
{
    *sum = ns <= UINT64_MAX - *sum ? *sum + ns : UINT64_MAX;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* LOOPHOUND_CALLS: which calls are reported. Runs in the library's constructor and in the command:
 * no malloc, no stdio, no locale. */
#include <errno.h>
#include <string.h>

#include "common/options.h"

_Static_assert(LH_GROUP_COUNT <= 8, "a bit for each group");

/* One name of the list, not NUL-terminated. */
struct item {
    const char *text;
    size_t length;
};

static bool is_named(struct item item, const char *name)
{
    return strlen(name) == item.length && memcmp(name, item.text, item.length) == 0;
}

/* What the item means for this call; *known is set when the item means anything at all. */
static uint8_t bits_of_item(struct item item, const struct lh_call_info *call, bool *known)
{
    if (is_named(item, "all")) {
        *known = true;
        return LH_CALL_ON;
    }
    for (int group = 0; group < LH_GROUP_COUNT; group++) {
        if (!is_named(item, lh_group_name((enum lh_group)group)))
            continue;
        *known = true;
        return LH_CALL_ON_AS(group);
    }
    if (!is_named(item, call->canonical) && !is_named(item, call->symbol))
        return 0;
    *known = true;
    return LH_CALL_ON;
}

static int apply(struct item item, uint8_t calls[LH_CALLS_MAX])
{
    bool known = false;
    bool off = item.length > 0 && item.text[0] == '-';
    if (item.length > 0 && (off || item.text[0] == '+')) {
        item.text++;
        item.length--;
    }
    for (uint32_t call = 0; call < lh_call_count(); call++) {
        uint8_t bits = bits_of_item(item, lh_call_info(call), &known);
        calls[call] = off ? calls[call] & (uint8_t)~bits : calls[call] | bits;
    }
    return known ? 0 : -EINVAL;
}

int lh_calls_parse(const char *list, uint8_t calls[LH_CALLS_MAX])
{
    uint8_t result[LH_CALLS_MAX];
    memset(result, list[0] == '-' ? LH_CALL_ON : 0, sizeof(result));
    for (;;) {
        const char *comma = strchrnul(list, ',');
        int error = apply((struct item){list, (size_t)(comma - list)}, result);
        if (error != 0)
            return error;
        if (*comma == '\0')
            break;
        list = comma + 1;
    }
    memcpy(calls, result, sizeof(result));
    return 0;
}

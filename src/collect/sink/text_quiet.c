/* SPDX-License-Identifier: Apache-2.0 */
/* What was quiet, in words. Runs on the threads of the rings, and in the command. */
#include <inttypes.h>

#include "collect/sink/text_parts.h"

/* What is never told has no place in a line that says what was left out. */
static uint64_t count_of(const _Atomic uint64_t quiet[LH_NOISE_COUNT], enum lh_noise noise)
{
    return lh_noise_has_switch(noise) ? atomic_load(&quiet[noise]) : 0;
}

void lh_text_quiet(struct lh_text *text, const _Atomic uint64_t quiet[LH_NOISE_COUNT])
{
    uint64_t sum = 0;
    for (int noise = LH_NOISE_NONE + 1; noise < LH_NOISE_COUNT; noise++)
        sum += count_of(quiet, (enum lh_noise)noise);
    if (sum == 0)
        return;
    lh_text_format(text, ", %" PRIu64 " call%s quiet", sum, lh_text_plural(sum));
    const char *before = " (";
    for (int noise = LH_NOISE_NONE + 1; noise < LH_NOISE_COUNT; noise++) {
        uint64_t count = count_of(quiet, (enum lh_noise)noise);
        if (count == 0)
            continue;
        lh_text_format(text, "%s%s %" PRIu64, before, lh_noise_name((enum lh_noise)noise), count);
        before = ", ";
    }
    lh_text_char(text, ')');
}

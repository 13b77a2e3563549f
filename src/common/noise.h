/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of noise, by the table src/noise.def: their names, and which of them are on.
 *
 * Plain data for the library and the command: no malloc, no stdio, no locale. */
#ifndef LH_COMMON_NOISE_H
#define LH_COMMON_NOISE_H

#include <stdbool.h>
#include <stdint.h>

enum lh_noise {
    LH_NOISE_NONE, /* it is of no class: to be told */
#define NOISE(id, name, when, key, doc) LH_NOISE_##id,
#include "noise.def"
    LH_NOISE_COUNT
};

/* A set of classes, one bit each. */
typedef uint32_t lh_noise_set;

_Static_assert(LH_NOISE_COUNT <= 32, "a bit for each class");

static inline lh_noise_set lh_noise_bit(enum lh_noise noise)
{
    return (lh_noise_set)1 << noise;
}

const char *lh_noise_name(enum lh_noise noise);

/* Can it be switched off? */
bool lh_noise_has_switch(enum lh_noise noise);

/* What LOOPHOUND_NOISE says, a list such as "tests,-logging". It begins with `auto`, the classes of
 * strict mode, or with `tests`, those that are for a test runner too, or `none`; left out, it is
 * `auto`. Then `-name` takes a class away, `+name` and `name` add it. Those that are always on stay
 * on. Returns 0, or -EINVAL and leaves `set` as it was. */
int lh_noise_parse(const char *list, lh_noise_set *set);

#endif

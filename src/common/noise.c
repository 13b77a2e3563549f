/* SPDX-License-Identifier: Apache-2.0 */
/* LOOPHOUND_NOISE: which classes of noise are on. See noise.h for where it may run. */
#include "common/noise.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum when { ALWAYS, STRICT, TESTS, ASKED };

static const struct {
    const char *name;
    enum when when;
} classes[LH_NOISE_COUNT] = {
#define NOISE(id, name, when, key, doc) [LH_NOISE_##id] = {name, when},
#include "noise.def"
};

/* Where a list begins: all classes up to this one of enum when. */
static const struct {
    const char *name;
    enum when last;
} beginnings[] = {{"auto", STRICT}, {"tests", TESTS}, {"none", ALWAYS}};

const char *lh_noise_name(enum lh_noise noise)
{
    return classes[noise].name;
}

bool lh_noise_has_switch(enum lh_noise noise)
{
    return classes[noise].when != ALWAYS;
}

static lh_noise_set all_until(enum when last)
{
    lh_noise_set set = 0;
    for (int noise = LH_NOISE_NONE + 1; noise < LH_NOISE_COUNT; noise++)
        if (classes[noise].when <= last)
            set |= lh_noise_bit((enum lh_noise)noise);
    return set;
}

static bool is_named(const char *item, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(name, item, length) == 0;
}

static bool begins(const char *item, size_t length, lh_noise_set *set)
{
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++)
        if (is_named(item, length, beginnings[i].name)) {
            *set = all_until(beginnings[i].last);
            return true;
        }
    return false;
}

static int apply(const char *item, size_t length, lh_noise_set *set)
{
    bool off = length > 0 && item[0] == '-';
    size_t sign = length > 0 && (off || item[0] == '+');
    for (int noise = LH_NOISE_NONE + 1; noise < LH_NOISE_COUNT; noise++) {
        lh_noise_set bit = lh_noise_bit((enum lh_noise)noise);
        if (!is_named(item + sign, length - sign, classes[noise].name))
            continue;
        if (off && !lh_noise_has_switch((enum lh_noise)noise))
            return -EINVAL;
        *set = off ? *set & ~bit : *set | bit;
        return 0;
    }
    return -EINVAL;
}

int lh_noise_parse(const char *list, lh_noise_set *set)
{
    lh_noise_set result = all_until(STRICT);
    bool first = true;
    for (;;) {
        const char *comma = strchrnul(list, ',');
        size_t length = (size_t)(comma - list);
        if (!(first && begins(list, length, &result)) && apply(list, length, &result) != 0)
            return -EINVAL;
        if (*comma == '\0')
            break;
        first = false;
        list = comma + 1;
    }
    *set = result;
    return 0;
}

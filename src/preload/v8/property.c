/* SPDX-License-Identifier: Apache-2.0 */
/* What an object has itself. See heap.h for where it runs: no malloc, no stdio, no locks.
 *
 * Objects that were made in the same way have one map. Its descriptors say of each property its
 * key, its details, and its value, or at which place the object has that (src/objects/map.h,
 * property-details.h of V8). */
#include "preload/v8/property.h"

#include "preload/v8/heap.h"
#include "preload/v8/strings.h"

#define MAP_BIT_FIELD_3      16
#define OWN_COUNT(bits)      ((bits) >> 10 & 0x3ff)
#define IS_DICTIONARY(bits)  ((bits) >> 21 & 1)
#define DICTIONARY_MAX       64 /* words of one that is looked at */
#define IS_ACCESSOR          1
#define FIELD_INDEX(details) ((details) >> 19 & 0x3ff)

/* The value of a property that is a field: in the object, or behind it. */
static uintptr_t read_field(struct lh_v8_walk *walk, uintptr_t object, uintptr_t map, int32_t index)
{
    uint32_t sizes = lh_v8_half(walk, map, LH_V8_WORD);
    int32_t words = (int32_t)(sizes & 0xff);      /* of the object … */
    int32_t first = (int32_t)(sizes >> 8 & 0xff); /* … and where its fields begin */
    if (first + index < words)
        return lh_v8_field(walk, object, (int64_t)(first + index) * LH_V8_WORD);
    return lh_v8_element(walk, lh_v8_field(walk, object, LH_V8_WORD), index - (words - first));
}

static uint32_t bits_of(struct lh_v8_walk *walk, uintptr_t object)
{
    return lh_v8_half(walk, lh_v8_field(walk, object, 0), MAP_BIT_FIELD_3);
}

uint32_t lh_v8_property_count(struct lh_v8_walk *walk, uintptr_t object)
{
    uint32_t bits = bits_of(walk, object);
    return IS_DICTIONARY(bits) ? 0 : OWN_COUNT(bits);
}

bool lh_v8_property(struct lh_v8_walk *walk, uintptr_t object, uint32_t number,
                    struct lh_v8_property *property)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    uintptr_t map = lh_v8_field(walk, object, 0);
    uintptr_t descriptors = lh_v8_field(walk, map, at->map_descriptors);
    uintptr_t entry[3]; /* key, details, value */
    uintptr_t place = descriptors - 1 + (uintptr_t)at->descriptors_first + number * sizeof(entry);
    if (!lh_v8_is_object(descriptors) || !lh_v8_read(walk, entry, place, sizeof(entry)) ||
        !lh_v8_is_smi(entry[1]))
        return false;
    int32_t details = lh_v8_smi(entry[1]);
    *property = (struct lh_v8_property){.key = entry[0], .value = entry[2]};
    if ((details & IS_ACCESSOR) != 0)
        property->value = 0;
    else if ((details & at->location_mask) == 0)
        property->value = read_field(walk, object, map, FIELD_INDEX(details));
    return true;
}

/* A dictionary is an array in which each value follows its key. */
static uintptr_t in_dictionary(struct lh_v8_walk *walk, uintptr_t object, const char *name)
{
    uintptr_t words[DICTIONARY_MAX];
    uintptr_t dictionary = lh_v8_field(walk, object, LH_V8_WORD);
    int32_t length = lh_v8_length(walk, dictionary);
    uint32_t count = length < 0 ? 0 : length < DICTIONARY_MAX ? (uint32_t)length : DICTIONARY_MAX;
    lh_v8_read_some(walk, words, dictionary - 1 + LH_V8_ARRAY_HEADER, count * sizeof(words[0]));
    for (uint32_t i = 0; i + 1 < count; i++)
        if (lh_v8_string_is(walk, words[i], name))
            return words[i + 1];
    return 0;
}

uintptr_t lh_v8_property_named(struct lh_v8_walk *walk, uintptr_t object, const char *name,
                               uint32_t from, uint32_t end)
{
    struct lh_v8_property property;
    uint32_t count = lh_v8_property_count(walk, object);
    if (IS_DICTIONARY(bits_of(walk, object)))
        return in_dictionary(walk, object, name);
    for (uint32_t i = from; i < count && i < end; i++)
        if (lh_v8_property(walk, object, i, &property) && lh_v8_string_is(walk, property.key, name))
            return property.value;
    return 0;
}

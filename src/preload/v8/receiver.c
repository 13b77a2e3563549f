/* SPDX-License-Identifier: Apache-2.0 */
/* The class of an object. See heap.h for where it runs: no malloc, no stdio, no locks.
 *
 * Much as V8 finds it out for CallSites (JSReceiver::GetConstructorName in
 * src/objects/js-objects.cc): the function that made the object, as its map has it, or of one that
 * is of a derived class the `constructor` of that from which it inherits; else what its
 * Symbol.toStringTag says, which is looked for where it is worth it: it takes many reads. */
#include "preload/v8/receiver.h"

#include <stdbool.h>

#include "preload/v8/heap.h"
#include "preload/v8/naming.h"
#include "preload/v8/property.h"
#include "preload/v8/strings.h"

#define MAP_BIT_FIELD_2   15
#define IS_ITS_OWN(bits)  ((bits)&1) /* made by `new` of that very function, not of one derived */
#define MAPS_MAX          64         /* from an object's map to the first of its kind */
#define TAGS_MAX          32u /* properties that are looked at for a tag: it is the last one */
#define CONSTRUCTOR_AMONG 4u  /* first properties of what others inherit from */
#define ANCESTORS_MAX     4

static bool is_class(struct lh_v8_walk *walk, uintptr_t name)
{
    return lh_v8_string_length(walk, name) > 0 && !lh_v8_string_is(walk, name, "Object");
}

/* The name of the function that made objects with this map; 0: none, or it says nothing. */
static uintptr_t maker_of(struct lh_v8_walk *walk, uintptr_t map)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    for (int i = 0; i < MAPS_MAX; i++) {
        map = lh_v8_field(walk, map, at->map_constructor);
        if (lh_v8_type(walk, map) != at->type_map)
            break;
    }
    uintptr_t name = lh_v8_is_function(walk, map) ? lh_v8_name_of(walk, map) : 0;
    return is_class(walk, name) ? name : 0;
}

static bool is_tag(struct lh_v8_walk *walk, uintptr_t key)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    return lh_v8_type(walk, key) == at->type_symbol &&
           lh_v8_string_is(walk, lh_v8_field(walk, key, at->symbol_name), "Symbol.toStringTag");
}

/* That of JSON, Atomics, Math. */
static uintptr_t tag_of(struct lh_v8_walk *walk, uintptr_t object)
{
    struct lh_v8_property property;
    uint32_t count = lh_v8_property_count(walk, object);
    for (uint32_t i = 0; i < count && i < TAGS_MAX; i++)
        if (lh_v8_property(walk, object, count - 1 - i, &property) && is_tag(walk, property.key) &&
            is_class(walk, property.value))
            return property.value;
    return 0;
}

static uintptr_t ancestor_of(struct lh_v8_walk *walk, uintptr_t object)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    uintptr_t constructor = 0;
    for (int i = 0; i < ANCESTORS_MAX && constructor == 0; i++) {
        object = lh_v8_field(walk, lh_v8_field(walk, object, 0), at->map_prototype);
        if (lh_v8_type(walk, object) <= at->type_global)
            return 0;
        constructor = lh_v8_property_named(walk, object, "constructor", 0, CONSTRUCTOR_AMONG);
    }
    uintptr_t name = lh_v8_is_function(walk, constructor) ? lh_v8_name_of(walk, constructor) : 0;
    return is_class(walk, name) ? name : 0;
}

struct lh_v8_class lh_v8_class_of(struct lh_v8_walk *walk, uintptr_t receiver, bool may_have_tag)
{
    const struct lh_v8_offsets *at = &walk->layout->at;
    struct lh_v8_class class = {0, NULL};
    if (receiver != 0 && lh_v8_is_smi(receiver))
        class.text = "Number";
    if (!lh_v8_is_object(receiver))
        return class;
    int32_t type = lh_v8_type(walk, receiver);
    if (type >= 0 && type < at->type_not_string)
        class.text = "String";
    if (lh_v8_is_function(walk, receiver))
        class.name = lh_v8_name_of(walk, receiver);
    else if (type > at->type_global) {
        uintptr_t map = lh_v8_field(walk, receiver, 0);
        uint32_t bits = lh_v8_half(walk, map, MAP_BIT_FIELD_2 & ~3) >> 8 * (MAP_BIT_FIELD_2 & 3);
        if (!IS_ITS_OWN(bits))
            class.name = ancestor_of(walk, receiver);
        else
            class.name = maker_of(walk, map);
        if (class.name == 0 && may_have_tag)
            class.name = tag_of(walk, receiver);
    }
    return class;
}

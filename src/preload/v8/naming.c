/* SPDX-License-Identifier: Apache-2.0 */
/* What a function is called. See heap.h for where it runs: no malloc, no stdio, no locks.
 *
 * A SharedFunctionInfo is what all closures of one function have in common. Its name is a string,
 * or part of its ScopeInfo, whose parts are there or not as its flags say
 * (src/objects/scope-info.tq of V8). */
#include "preload/v8/naming.h"

#include <stdbool.h>
#include <stddef.h>

#include "preload/v8/heap.h"
#include "preload/v8/property.h"
#include "preload/v8/strings.h"

/* ScopeInfo, in words after the map. */
enum { SCOPE_FLAGS, SCOPE_PARAMETERS, SCOPE_LOCALS, SCOPE_START, SCOPE_END };
#define SCOPE_TYPE(flags)           ((flags)&15)
#define SCOPE_MODULE                5
#define SCOPE_RECEIVER(flags)       ((flags) >> 7 & 3)
#define SCOPE_CLASS_VARIABLE(flags) ((flags) >> 10 & 1)
#define SCOPE_FUNCTION(flags)       ((flags) >> 12 & 3)
#define SCOPE_INFERRED(flags)       ((flags) >> 14 & 1)
#define LOCALS_INLINED              75u /* from so many on they are in a table */
#define LOCALS_MAX                  2000u
#define SCOPE_TAIL                  8u /* words that are read of what follows the locals */

#define WRAPPED_SHARED 8
#define NAME_AT        1u /* among the properties of a function, behind `length` */

/* Where the names begin that follow the locals. */
static size_t behind_locals(const struct lh_v8_offsets *at, uint32_t flags, uint32_t locals)
{
    size_t words = (size_t)at->scope_first + (SCOPE_TYPE(flags) == SCOPE_MODULE);
    words += (locals < LOCALS_INLINED ? locals : 1) + locals;
    words += SCOPE_CLASS_VARIABLE(flags);
    if (at->scope_has_receiver)
        words += SCOPE_RECEIVER(flags) == 1 || SCOPE_RECEIVER(flags) == 2;
    return words;
}

static void read_names(struct lh_v8_walk *walk, const uintptr_t *words, uint32_t flags,
                       struct lh_v8_naming *naming)
{
    if (SCOPE_FUNCTION(flags) != 0) {
        if (lh_v8_is_string(walk, words[0]) && lh_v8_string_length(walk, words[0]) > 0)
            naming->name = words[0];
        words += 2;
    }
    if (SCOPE_INFERRED(flags) != 0) {
        if (naming->name == 0 && lh_v8_is_string(walk, words[0]))
            naming->name = words[0];
        words++;
    }
    if (walk->layout->at.scope_first <= SCOPE_START && lh_v8_is_smi(words[0]) &&
        lh_v8_is_smi(words[1])) {
        naming->start = lh_v8_smi(words[0]);
        naming->end = lh_v8_smi(words[1]);
    }
}

static void read_scope(struct lh_v8_walk *walk, uintptr_t scope, struct lh_v8_naming *naming)
{
    uintptr_t *words = walk->scratch->scope;
    uintptr_t first = scope - 1 + LH_V8_WORD;
    size_t read = lh_v8_read_some(walk, words, first, (SCOPE_END + 1) * sizeof(words[0]));
    uint32_t flags = (uint32_t)words[SCOPE_FLAGS] | (uint32_t)(words[SCOPE_FLAGS] >> 32);
    uint32_t locals = (uint32_t)lh_v8_smi(words[SCOPE_LOCALS]);
    if (read < (SCOPE_LOCALS + 1) * sizeof(words[0]) || locals > LOCALS_MAX)
        return;
    if (walk->layout->at.scope_first > SCOPE_START) {
        naming->start = lh_v8_smi(words[SCOPE_START]);
        naming->end = lh_v8_smi(words[SCOPE_END]);
    }
    size_t tail = behind_locals(&walk->layout->at, flags, locals);
    lh_v8_read_some(walk, words, first + tail * sizeof(words[0]), SCOPE_TAIL * sizeof(words[0]));
    read_names(walk, words, flags, naming);
}

/* A function to which a name was given (of a computed key, by defineProperty()) has it as a
 * property; others have an accessor that asks the SharedFunctionInfo. */
static uintptr_t own_name(struct lh_v8_walk *walk, uintptr_t function)
{
    uintptr_t value = lh_v8_property_named(walk, function, "name", NAME_AT, NAME_AT + 1);
    return lh_v8_string_length(walk, value) > 0 ? value : 0;
}

uintptr_t lh_v8_unwrap(struct lh_v8_walk *walk, uintptr_t shared)
{
    if (lh_v8_type(walk, shared) == walk->layout->at.type_wrapper)
        shared = lh_v8_field(walk, shared, WRAPPED_SHARED);
    return lh_v8_type(walk, shared) == walk->layout->at.type_shared ? shared : 0;
}

void lh_v8_naming_find(struct lh_v8_walk *walk, uintptr_t shared, uintptr_t function,
                       struct lh_v8_naming *naming)
{
    uintptr_t name = lh_v8_field(walk, shared, walk->layout->at.shared_name);
    *naming = (struct lh_v8_naming){.start = -1, .end = -1};
    if (lh_v8_type(walk, name) == walk->layout->at.type_scope)
        read_scope(walk, name, naming);
    else if (lh_v8_is_string(walk, name))
        naming->name = name;
    uintptr_t own = function != 0 ? own_name(walk, function) : 0;
    if (own != 0)
        naming->name = own;
}

uintptr_t lh_v8_name_of(struct lh_v8_walk *walk, uintptr_t function)
{
    struct lh_v8_naming naming;
    uintptr_t shared =
        lh_v8_unwrap(walk, lh_v8_field(walk, function, walk->layout->at.function_shared));
    if (shared == 0)
        return 0;
    lh_v8_naming_find(walk, shared, function, &naming);
    return naming.name;
}

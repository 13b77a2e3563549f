/* SPDX-License-Identifier: Apache-2.0 */
/* What a function of V8's own is at. See heap.h for where it runs: no malloc, no stdio, no locks.
 */
#include "preload/v8/about.h"

#include "preload/v8/heap.h"
#include "preload/v8/naming.h"
#include "preload/v8/strings.h"

#define ARRAY_LENGTH 24
#define WORDS_MAX    16u
#define ARGUMENTS    5u /* at most, of what C++ has to match one */

static bool is_regexp(struct lh_v8_walk *walk, uintptr_t tagged)
{
    return lh_v8_is_object(tagged) && lh_v8_type(walk, tagged) == walk->layout->at.type_regexp;
}

uintptr_t lh_v8_regexp_among(struct lh_v8_walk *walk, uintptr_t address, uint32_t count)
{
    uintptr_t words[WORDS_MAX];
    count = count < WORDS_MAX ? count : WORDS_MAX;
    if (!lh_v8_read(walk, words, address, count * sizeof(words[0])))
        return 0;
    for (uint32_t i = 0; i < count; i++)
        if (is_regexp(walk, words[i]))
            return words[i];
    return 0;
}

uintptr_t lh_v8_regexp_called(struct lh_v8_walk *walk, uintptr_t address)
{
    uintptr_t words[ARGUMENTS];
    if (!lh_v8_read(walk, words, address, sizeof(words)))
        return 0;
    for (uint32_t i = 1; i < ARGUMENTS; i++)
        if (is_regexp(walk, words[i]) && lh_v8_is_string(walk, words[i - 1]))
            return words[i];
    return 0;
}

struct lh_v8_about lh_v8_about_regexp(struct lh_v8_walk *walk, uintptr_t regexp)
{
    return (struct lh_v8_about){.kind = LH_JS_ABOUT_REGEXP,
                                .text = lh_v8_field(walk, regexp, walk->layout->at.regexp_source)};
}

/* Of a text the bytes that it has in memory; an array is told by its length. */
static struct lh_v8_about about_json(struct lh_v8_walk *walk, uintptr_t argument)
{
    struct lh_v8_about about = {.kind = LH_JS_ABOUT_NOTHING};
    if (lh_v8_is_string(walk, argument)) {
        about.kind = LH_JS_ABOUT_TEXT;
        about.amount = lh_v8_string_bytes(walk, argument);
    } else if (lh_v8_is_object(argument) &&
               lh_v8_type(walk, argument) == walk->layout->at.type_array) {
        uintptr_t length = lh_v8_field(walk, argument, ARRAY_LENGTH);
        about.kind = lh_v8_is_smi(length) ? LH_JS_ABOUT_ARRAY : LH_JS_ABOUT_NOTHING;
        about.amount =
            lh_v8_is_smi(length) && lh_v8_smi(length) > 0 ? (uint64_t)lh_v8_smi(length) : 0;
    }
    return about;
}

struct lh_v8_about lh_v8_about_of(struct lh_v8_walk *walk, uintptr_t function, uintptr_t receiver,
                                  uintptr_t argument)
{
    if (is_regexp(walk, receiver))
        return lh_v8_about_regexp(walk, receiver);
    if (is_regexp(walk, argument))
        return lh_v8_about_regexp(walk, argument);
    uintptr_t name = lh_v8_name_of(walk, function);
    if (lh_v8_string_is(walk, name, "parse") || lh_v8_string_is(walk, name, "stringify"))
        return about_json(walk, argument);
    return (struct lh_v8_about){.kind = LH_JS_ABOUT_NOTHING};
}

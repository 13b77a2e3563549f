/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the interpreter. Any thread; see object.h. */
#include "preload/python/object.h"

#include <string.h>

#define TEXT_MAX  32u
#define BASES_MAX 8 /* between a class of the program's and the one it is derived from */

enum { TYPE_NAME = 1 };

/* Words after the header of an int. */
enum { INT_TAG = 0, INT_DIGITS = 1 };

/* PyLongObject of 3.12 and later: sign in the tag's low bits, 0 being positive; then the number of
 * digits, of 30 bits each in an int. Before, the tag is that number, negative as the int is. */
#define INT_SIGN(tag)   ((tag)&3)
#define INT_LENGTH(tag) ((tag) >> 3)
#define INT_DIGIT_BITS  30

uintptr_t lh_python_word(const struct lh_python_walk *walk, uintptr_t address)
{
    uintptr_t word;
    return lh_python_read(walk, &word, address, sizeof(word)) == 0 ? word : 0;
}

uintptr_t lh_python_member(const struct lh_python_walk *walk, uintptr_t object, uintptr_t offset)
{
    return lh_python_word(walk, object + walk->layout->at.object_type + LH_PYTHON_WORD + offset);
}

uintptr_t lh_python_type(const struct lh_python_walk *walk, uintptr_t object)
{
    return lh_python_word(walk, object + walk->layout->at.object_type);
}

static bool bytes_are(const struct lh_python_walk *walk, uintptr_t address, const char *expected,
                      size_t size)
{
    char text[TEXT_MAX];
    return size <= sizeof(text) && lh_python_read(walk, text, address, size) == 0 &&
           memcmp(text, expected, size) == 0;
}

bool lh_python_text_is(const struct lh_python_walk *walk, uintptr_t address, const char *expected)
{
    return bytes_are(walk, address, expected, strlen(expected) + 1);
}

bool lh_python_type_is(const struct lh_python_walk *walk, uintptr_t type, const char *name)
{
    return lh_python_text_is(walk, lh_python_member(walk, type, TYPE_NAME * LH_PYTHON_WORD), name);
}

bool lh_python_is_a(const struct lh_python_walk *walk, uintptr_t object, const char *name)
{
    uintptr_t type = object != 0 ? lh_python_type(walk, object) : 0;
    for (int i = 0; type != 0 && i < BASES_MAX; i++) {
        if (lh_python_type_is(walk, type, name))
            return true;
        type = lh_python_member(walk, type, LH_PYTHON_TYPE_BASE * LH_PYTHON_WORD);
    }
    return false;
}

bool lh_python_number(const struct lh_python_walk *walk, uintptr_t object, uint64_t *number)
{
    if (object == 0 || !lh_python_type_is(walk, lh_python_type(walk, object), "int"))
        return false;
    bool has_sign = walk->layout->at.instance_values >= LH_PYTHON_VALUES_TAGGED;
    uint64_t tag = lh_python_member(walk, object, INT_TAG * LH_PYTHON_WORD);
    uint64_t digits = lh_python_member(walk, object, INT_DIGITS * LH_PYTHON_WORD);
    uint64_t length = has_sign ? INT_LENGTH(tag) : tag;
    *number = 0;
    if ((has_sign && length > 0 && INT_SIGN(tag) != 0) || length > 2)
        return false;
    if (length > 0)
        *number = digits & UINT32_MAX;
    if (length == 2)
        *number |= digits >> 32 << INT_DIGIT_BITS;
    return true;
}

bool lh_python_string_is(const struct lh_python_walk *walk, uintptr_t object, const char *expected)
{
    const struct lh_python_layout *layout = walk->layout;
    size_t length = strlen(expected);
    return object != 0 && lh_python_type(walk, object) == layout->string_type &&
           lh_python_word(walk, object + layout->at.string_length) == length &&
           bytes_are(walk, object + layout->at.string_ascii, expected, length);
}

/* Objects of the interpreter. Any thread; see python_object.h. */
#include "preload/python_object.h"

#include <string.h>

#define TEXT_MAX 32u

enum { TYPE_NAME = 1 };

uintptr_t lh_python_word(const struct lh_python_walk *walk, uintptr_t address)
{
    uintptr_t word;
    return walk->read(&word, address, sizeof(word)) == 0 ? word : 0;
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
    return size <= sizeof(text) && walk->read(text, address, size) == 0 &&
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

bool lh_python_string_is(const struct lh_python_walk *walk, uintptr_t object, const char *expected)
{
    const struct lh_python_layout *layout = walk->layout;
    size_t length = strlen(expected);
    return object != 0 && lh_python_type(walk, object) == layout->string_type &&
           lh_python_word(walk, object + layout->at.string_length) == length &&
           bytes_are(walk, object + layout->at.string_ascii, expected, length);
}

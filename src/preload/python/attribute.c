/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of Python's instances.
 *
 * Runs on the program's threads and on the watchdog, while the interpreter may be running: no
 * malloc, no libc state; memory is read through walk->view only, and the number of steps is
 * bounded. */
#include "preload/python/attribute.h"

#include "preload/python/object.h"

#define WORD sizeof(uintptr_t)

#define ATTRIBUTES_MAX 256u /* looked at */

/* PyDictObject: ma_keys, ma_values, in words after the header; the same since 3.8. */
enum { DICT_KEYS = 2, DICT_VALUES = 3 };

/* Before an object without a dict of its own: words from its address (pycore_object.h). */
enum { MANAGED_VALUES = -4, MANAGED_DICT = -3, MANAGED_DICT_FREE_THREADED = -1 };

#define TAGGED                 ((uintptr_t)1)
#define FLAG_INLINE_VALUES     ((uintptr_t)1 << 2) /* Py_TPFLAGS_INLINE_VALUES */
#define INLINE_VALUES_VALID_AT 3                   /* _dictvalues.valid, a byte */

/* PyDictKeysObject up to 3.10 (Objects/dict-common.h) and since (pycore_dict.h): what comes before
 * dk_indices, behind which the entries are. */
struct keys_3_8 {
    int64_t references;
    int64_t size;
    uintptr_t lookup;
    int64_t usable;
    int64_t count;
};
struct keys_3_11 {
    int64_t references;
    uint8_t log2_size;
    uint8_t log2_index_bytes;
    uint8_t kind; /* 0: entries of hash, key and value; else of key and value */
    int64_t usable;
    int64_t count;
};

struct entries {
    uintptr_t start;
    uintptr_t stride;
    uintptr_t key_at; /* in an entry; the value is the next word */
    uint64_t count;
};

/* The values of an object's attributes stand beside the keys, or (0) in their entries. */
struct attributes {
    uintptr_t keys;
    uintptr_t values;
};

static struct entries entries_3_8(const struct lh_python_walk *walk, uintptr_t address)
{
    struct keys_3_8 keys;
    if (lh_python_read(walk, &keys, address, sizeof(keys)) != 0 || keys.size <= 0 ||
        keys.size > UINT16_MAX)
        return (struct entries){0};
    uint64_t index_bytes = (uint64_t)keys.size * (keys.size <= UINT8_MAX ? 1 : 2);
    return (struct entries){.start = address + sizeof(keys) + index_bytes,
                            .stride = 3 * WORD,
                            .key_at = WORD,
                            .count = (uint64_t)keys.count};
}

static struct entries entries_3_11(const struct lh_python_walk *walk, uintptr_t address)
{
    struct keys_3_11 keys;
    if (lh_python_read(walk, &keys, address, sizeof(keys)) != 0 || keys.log2_index_bytes > 16)
        return (struct entries){0};
    return (struct entries){.start = address + sizeof(keys) + (1u << keys.log2_index_bytes),
                            .stride = keys.kind == 0 ? 3 * WORD : 2 * WORD,
                            .key_at = keys.kind == 0 ? WORD : 0,
                            .count = (uint64_t)keys.count};
}

static uintptr_t find_value(const struct lh_python_walk *walk, const struct attributes *attributes,
                            const char *name)
{
    struct entries entries = walk->layout->at.type_cached_keys == 0
                                 ? entries_3_8(walk, attributes->keys)
                                 : entries_3_11(walk, attributes->keys);
    for (uint64_t i = 0; i < entries.count && i < ATTRIBUTES_MAX; i++) {
        uintptr_t key_at = entries.start + i * entries.stride + entries.key_at;
        if (lh_python_string_is(walk, lh_python_word(walk, key_at), name))
            return lh_python_word(walk, attributes->values != 0 ? attributes->values + i * WORD
                                                                : key_at + WORD);
    }
    return 0;
}

static uintptr_t word_before(const struct lh_python_walk *walk, uintptr_t object, int words)
{
    return lh_python_word(walk, object + (uintptr_t)((intptr_t)words * (intptr_t)WORD));
}

static struct attributes attributes_of_dict(const struct lh_python_walk *walk, uintptr_t dict)
{
    struct attributes found = {lh_python_member(walk, dict, DICT_KEYS * WORD),
                               lh_python_member(walk, dict, DICT_VALUES * WORD)};
    if (found.values != 0 && walk->layout->at.instance_values == LH_PYTHON_VALUES_INLINE)
        found.values += WORD; /* capacity, size, embedded, valid */
    return found;
}

/* Where the values are, if the object has no dict; or 0 and its dict. */
static uintptr_t find_values(const struct lh_python_walk *walk, uintptr_t object, uintptr_t type,
                             uintptr_t *dict)
{
    uint8_t valid = 0;
    uintptr_t word = word_before(walk, object, MANAGED_DICT);
    *dict = word;
    switch (walk->layout->at.instance_values) {
    case LH_PYTHON_VALUES_BESIDE:
        return word_before(walk, object, MANAGED_VALUES);
    case LH_PYTHON_VALUES_TAGGED:
        return (word & TAGGED) != 0 ? word + TAGGED : 0;
    case LH_PYTHON_VALUES_INLINE:
        if (walk->layout->at.is_free_threaded)
            *dict = word_before(walk, object, MANAGED_DICT_FREE_THREADED);
        word = object + lh_python_member(walk, type, LH_PYTHON_TYPE_SIZE * WORD);
        if ((lh_python_member(walk, type, LH_PYTHON_TYPE_FLAGS * WORD) & FLAG_INLINE_VALUES) != 0)
            lh_python_read(walk, &valid, word + INLINE_VALUES_VALID_AT, sizeof(valid));
        return valid != 0 ? word + WORD : 0;
    default:
        word = lh_python_member(walk, type, LH_PYTHON_TYPE_DICT_OFFSET * WORD);
        *dict = word != 0 ? lh_python_word(walk, object + word) : 0;
        return 0;
    }
}

uintptr_t lh_python_attribute(const struct lh_python_walk *walk, uintptr_t object, const char *name)
{
    uintptr_t dict;
    uintptr_t type = lh_python_type(walk, object);
    uintptr_t values = find_values(walk, object, type, &dict);
    uintptr_t cached_keys = walk->layout->at.type_cached_keys;
    struct attributes attributes = {0, values};
    if (values != 0)
        attributes.keys = lh_python_member(walk, type, cached_keys);
    else
        attributes = attributes_of_dict(walk, dict);
    return find_value(walk, &attributes, name);
}

uintptr_t lh_python_dict_value(const struct lh_python_walk *walk, uintptr_t dict, const char *name)
{
    struct attributes attributes = attributes_of_dict(walk, dict);
    return lh_python_type_is(walk, lh_python_type(walk, dict), "dict")
               ? find_value(walk, &attributes, name)
               : 0;
}

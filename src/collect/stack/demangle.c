/* SPDX-License-Identifier: Apache-2.0 */
/* Function names as a person writes them. Runs in the collector.
 *
 * Demangled by libiberty, as gdb, perf and the binutils do: it knows C++ and both schemes of Rust.
 * A hostile name may be short and its meaning endless: only the first part of it is kept. */
#include "collect/stack/demangle.h"

#include <libiberty/demangle.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define NAME_BYTES       1024u /* longer ones are cut */
#define MANGLED_MAX      4096u
#define ALLOCATION_BYTES 16u /* what malloc(3) has to itself */

#define FIRST_SLOTS 64u /* a power of two, like every size of the table */

struct lh_demangler {
    char **kept; /* open addressing; NULL: free */
    uint32_t slots;
    uint32_t count;
    size_t bytes; /* of the names, and their slots */
};

struct lh_demangler *lh_demangler_new(void)
{
    return calloc(1, sizeof(struct lh_demangler));
}

void lh_demangler_free(struct lh_demangler *demangler)
{
    if (demangler == NULL)
        return;
    for (uint32_t i = 0; i < demangler->slots; i++)
        free(demangler->kept[i]);
    free(demangler->kept);
    free(demangler);
}

/* FNV-1a. */
static uint32_t hash(const char *name)
{
    uint32_t value = 2166136261u;
    for (; *name != '\0'; name++)
        value = (value ^ (uint8_t)*name) * 16777619u;
    return value;
}

static char **find_slot(char **kept, uint32_t slots, const char *name)
{
    for (uint32_t at = hash(name);; at++) {
        char **slot = &kept[at & (slots - 1)];
        if (*slot == NULL || strcmp(*slot, name) == 0)
            return slot;
    }
}

static bool make_room(struct lh_demangler *demangler)
{
    if (demangler->count * 2 < demangler->slots)
        return true;
    uint32_t slots = demangler->slots == 0 ? FIRST_SLOTS : demangler->slots * 2;
    char **kept = calloc(slots, sizeof(*kept));
    if (kept == NULL)
        return false;
    for (uint32_t i = 0; i < demangler->slots; i++)
        if (demangler->kept[i] != NULL)
            *find_slot(kept, slots, demangler->kept[i]) = demangler->kept[i];
    free(demangler->kept);
    demangler->kept = kept;
    demangler->slots = slots;
    return true;
}

const char *lh_demangler_keep(struct lh_demangler *demangler, const char *name)
{
    if (!make_room(demangler))
        return NULL;
    char **slot = find_slot(demangler->kept, demangler->slots, name);
    if (*slot != NULL)
        return *slot;
    *slot = strdup(name);
    if (*slot == NULL)
        return NULL;
    demangler->count++;
    demangler->bytes += strlen(name) + 1 + ALLOCATION_BYTES + 2 * sizeof(*slot);
    return *slot;
}

size_t lh_demangler_bytes(const struct lh_demangler *demangler)
{
    return demangler->bytes;
}

struct part {
    char text[NAME_BYTES];
    size_t length;
};

static void add_to_part(const char *text, size_t length, void *opaque)
{
    struct part *part = opaque;
    size_t room = sizeof(part->text) - 1 - part->length;
    if (length > room)
        length = room;
    memcpy(part->text + part->length, text, length);
    part->length += length;
    part->text[part->length] = '\0';
}

/* The older scheme of Rust looks like that of C++: it is asked for first. */
static bool demangle(const char *name, struct part *part)
{
    part->length = 0;
    part->text[0] = '\0';
    if (!lh_starts_with(name, "_Z") && !lh_starts_with(name, "_R"))
        return false;
    if (rust_demangle_callback(name, 0, add_to_part, part) == 0 || part->length == 0) {
        part->length = 0;
        if (cplus_demangle_v3_callback(name, 0, add_to_part, part) == 0)
            return false;
    }
    return part->length > 0;
}

const char *lh_demangle(struct lh_demangler *demangler, const char *name)
{
    size_t length = strcspn(name, "@"); /* of `memcpy@@GLIBC_2.14` in .symtab */
    if (length == 0 || length > MANGLED_MAX)
        return name;
    char plain[MANGLED_MAX + 1];
    struct part part;
    memcpy(plain, name, length);
    plain[length] = '\0';
    const char *readable = NULL;
    if (demangle(plain, &part))
        readable = lh_demangler_keep(demangler, part.text);
    else if (name[length] == '@')
        readable = lh_demangler_keep(demangler, plain);
    return readable != NULL ? readable : name;
}

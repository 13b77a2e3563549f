/* Function names as a person writes them. Runs in the collector.
 *
 * Demangled by libiberty, as gdb, perf and the binutils do: it knows C++ and both schemes of Rust.
 * A hostile name may be short and its meaning endless: only the first part of it is kept. */
#include "collect/names.h"

#include <libiberty/demangle.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES  1024u /* longer ones are cut */
#define MANGLED_MAX 4096u
#define FIRST_SLOTS 64u /* a power of two, like every size of the table */

struct lh_names {
    char **kept; /* open addressing; NULL: free */
    uint32_t slots;
    uint32_t count;
};

struct lh_names *lh_names_new(void)
{
    return calloc(1, sizeof(struct lh_names));
}

void lh_names_free(struct lh_names *names)
{
    if (names == NULL)
        return;
    for (uint32_t i = 0; i < names->slots; i++)
        free(names->kept[i]);
    free(names->kept);
    free(names);
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

static bool make_room(struct lh_names *names)
{
    if (names->count * 2 < names->slots)
        return true;
    uint32_t slots = names->slots == 0 ? FIRST_SLOTS : names->slots * 2;
    char **kept = calloc(slots, sizeof(*kept));
    if (kept == NULL)
        return false;
    for (uint32_t i = 0; i < names->slots; i++)
        if (names->kept[i] != NULL)
            *find_slot(kept, slots, names->kept[i]) = names->kept[i];
    free(names->kept);
    names->kept = kept;
    names->slots = slots;
    return true;
}

const char *lh_names_keep(struct lh_names *names, const char *name)
{
    if (!make_room(names))
        return NULL;
    char **slot = find_slot(names->kept, names->slots, name);
    if (*slot != NULL)
        return *slot;
    *slot = strdup(name);
    names->count += *slot != NULL;
    return *slot;
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

static bool starts_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* The older scheme of Rust looks like that of C++: it is asked for first. */
static bool demangle(const char *name, struct part *part)
{
    part->length = 0;
    part->text[0] = '\0';
    if (!starts_with(name, "_Z") && !starts_with(name, "_R"))
        return false;
    if (rust_demangle_callback(name, 0, add_to_part, part) == 0 || part->length == 0) {
        part->length = 0;
        if (cplus_demangle_v3_callback(name, 0, add_to_part, part) == 0)
            return false;
    }
    return part->length > 0;
}

const char *lh_names_readable(struct lh_names *names, const char *name)
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
        readable = lh_names_keep(names, part.text);
    else if (name[length] == '@')
        readable = lh_names_keep(names, plain);
    return readable != NULL ? readable : name;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The dynamic symbol tables of what is loaded: see symbols.h. No malloc, no stdio, no lock but the
 * one of dl_iterate_phdr(3), for what has not been noted.
 *
 * System V ABI (gABI), "Dynamic Linking"; the GNU hash table as binutils writes it; versions as in
 * the Linux Standard Base, "Symbol Versioning". */
#include "preload/sys/symbols.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>

#define VERSION_HIDDEN 0x8000 /* not the default version of this name */
#define VERSION_NONE   0x8001 /* of no symbol: an index has 15 bits */
#define NOTED_MAX      64

/* One loaded object's table; a member it does not have is NULL. */
struct table {
    uintptr_t base;
    const ElfW(Sym) * symbols;
    const char *names;
    const uint16_t *versions;  /* of each symbol */
    const char *version_names; /* ElfW(Verdef) entries, a chain */
    const uint32_t *gnu_hash;
    const uint32_t *sysv_hash;
};

/* Written once, in our constructor, before the count. */
static struct table noted[NOTED_MAX];
static _Atomic unsigned noted_count;

struct search {
    enum lh_symbol_scope scope;
    bool came_by_us;
    const char *name;
    const char *version;
    uint32_t gnu_hash;
    uint32_t sysv_hash;
    struct lh_symbol *found;
};

static uint32_t gnu_hash_of(const char *name)
{
    uint32_t hash = 5381;
    for (const unsigned char *at = (const unsigned char *)name; *at != '\0'; at++)
        hash = hash * 33 + *at;
    return hash;
}

static uint32_t sysv_hash_of(const char *name)
{
    uint32_t hash = 0;
    for (const unsigned char *at = (const unsigned char *)name; *at != '\0'; at++) {
        hash = (hash << 4) + *at;
        hash = (hash ^ ((hash & 0xf0000000U) >> 24)) & 0x0fffffffU;
    }
    return hash;
}

static bool holds(const struct dl_phdr_info *info, uintptr_t address)
{
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && address - info->dlpi_addr - part->p_vaddr < part->p_memsz)
            return true;
    }
    return false;
}

static const ElfW(Dyn) * dynamic_of(const struct dl_phdr_info *info)
{
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            return (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    return NULL;
}

/* Most dynamic linkers write the address over the offset, some, and for some tags, do not. */
static const void *address_of(const ElfW(Dyn) * entry, uintptr_t base)
{
    uintptr_t value = entry->d_un.d_ptr;
    return (const void *)(value < base ? base + value : value);
}

static bool read_table(const struct dl_phdr_info *info, struct table *table)
{
    *table = (struct table){.base = info->dlpi_addr};
    for (const ElfW(Dyn) *entry = dynamic_of(info); entry != NULL && entry->d_tag != DT_NULL;
         entry++) {
        const void *address = address_of(entry, table->base);
        switch (entry->d_tag) {
        case DT_SYMTAB:
            table->symbols = address;
            break;
        case DT_STRTAB:
            table->names = address;
            break;
        case DT_VERSYM:
            table->versions = address;
            break;
        case DT_VERDEF:
            table->version_names = address;
            break;
        case DT_GNU_HASH:
            table->gnu_hash = address;
            break;
        case DT_HASH:
            table->sysv_hash = address;
            break;
        default:
            break;
        }
    }
    return table->symbols != NULL && table->names != NULL;
}

/* The index by which the object's symbols say that they are of this version. */
static uint16_t index_of(const struct table *table, const char *version)
{
    const char *at = table->version_names;
    while (at != NULL) {
        const ElfW(Verdef) *defined = (const void *)at;
        const ElfW(Verdaux) *name = (const void *)(at + defined->vd_aux);
        if (strcmp(table->names + name->vda_name, version) == 0)
            return defined->vd_ndx;
        at = defined->vd_next != 0 ? at + defined->vd_next : NULL;
    }
    return VERSION_NONE;
}

static bool has_version(const struct table *table, uint32_t index, const char *version)
{
    if (table->versions == NULL)
        return true;
    uint16_t own = table->versions[index];
    if (version == NULL)
        return (own & VERSION_HIDDEN) == 0;
    return (own & (uint16_t)~VERSION_HIDDEN) == index_of(table, version);
}

static bool is_wanted(const struct table *table, uint32_t index, const struct search *search)
{
    const ElfW(Sym) *symbol = &table->symbols[index];
    return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
           ELF64_ST_TYPE(symbol->st_info) != STT_TLS &&
           strcmp(table->names + symbol->st_name, search->name) == 0 &&
           has_version(table, index, search->version);
}

/* Header: buckets, first symbol that is hashed, words of the Bloom filter, its shift. */
static const ElfW(Sym) * find_by_gnu_hash(const struct table *table, const struct search *search)
{
    const uint32_t *head = table->gnu_hash;
    const unsigned bits = 8 * sizeof(ElfW(Addr));
    const ElfW(Addr) *filter = (const void *)&head[4];
    const uint32_t *buckets = (const void *)&filter[head[2]];
    const uint32_t *chain = buckets + head[0];
    uint32_t hash = search->gnu_hash;
    ElfW(Addr) word = filter[hash / bits % head[2]];
    if (head[0] == 0 || (word >> hash % bits & word >> (hash >> head[3]) % bits & 1) == 0)
        return NULL;
    uint32_t index = buckets[hash % head[0]];
    if (index < head[1])
        return NULL;
    for (;; index++) {
        uint32_t other = chain[index - head[1]];
        if ((other | 1) == (hash | 1) && is_wanted(table, index, search))
            return &table->symbols[index];
        if ((other & 1) != 0) /* the last one of its bucket */
            return NULL;
    }
}

/* Header: buckets, symbols. */
static const ElfW(Sym) * find_by_sysv_hash(const struct table *table, const struct search *search)
{
    const uint32_t *head = table->sysv_hash;
    const uint32_t *buckets = &head[2];
    const uint32_t *chain = buckets + head[0];
    if (head[0] == 0)
        return NULL;
    for (uint32_t index = buckets[search->sysv_hash % head[0]]; index != STN_UNDEF;
         index = chain[index])
        if (is_wanted(table, index, search))
            return &table->symbols[index];
    return NULL;
}

static const ElfW(Sym) * find_in(const struct table *table, const struct search *search)
{
    if (table->gnu_hash != NULL)
        return find_by_gnu_hash(table, search);
    return table->sysv_hash != NULL ? find_by_sysv_hash(table, search) : NULL;
}

/* libc has several of a function, and a function that says which is best here. */
static void *resolved(const ElfW(Sym) * symbol, uintptr_t base)
{
    uintptr_t address = symbol->st_shndx == SHN_ABS ? symbol->st_value : base + symbol->st_value;
    if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
        return ((void *(*)(void))address)();
    return (void *)address;
}

static bool is_searched(const struct dl_phdr_info *info, struct search *search)
{
    if (search->scope == LH_SYMBOL_AFTER_US && !search->came_by_us) {
        search->came_by_us = holds(info, (uintptr_t)lh_symbol_find);
        return false;
    }
    return info->dlpi_addr != getauxval(AT_SYSINFO_EHDR); /* the vDSO: the kernel's, for libc */
}

static bool search_table(const struct table *table, const struct search *search)
{
    const ElfW(Sym) *symbol = find_in(table, search);
    if (symbol != NULL)
        *search->found = (struct lh_symbol){.address = resolved(symbol, table->base),
                                            .size = symbol->st_size,
                                            .object = table->base};
    return symbol != NULL;
}

static int look_in(struct dl_phdr_info *info, size_t size, void *data)
{
    struct search *search = data;
    struct table table;
    (void)size;
    return is_searched(info, search) && read_table(info, &table) && search_table(&table, search);
}

static struct search search_for(enum lh_symbol_scope scope, const char *name, const char *version,
                                struct lh_symbol *found)
{
    return (struct search){
        .scope = scope,
        .name = name,
        .version = version,
        .gnu_hash = gnu_hash_of(name),
        .sysv_hash = sysv_hash_of(name),
        .found = found,
    };
}

static int find_noted(const struct search *search)
{
    unsigned count = atomic_load_explicit(&noted_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++)
        if (search_table(&noted[i], search))
            return 0;
    return -ENOENT;
}

int lh_symbol_find(enum lh_symbol_scope scope, const char *name, const char *version,
                   struct lh_symbol *found)
{
    struct search search = search_for(scope, name, version, found);
    if (scope != LH_SYMBOL_ANYWHERE && find_noted(&search) == 0)
        return 0;
    return scope != LH_SYMBOL_NOTED && dl_iterate_phdr(look_in, &search) != 0 ? 0 : -ENOENT;
}

struct note {
    struct search search; /* for its scope only */
    uintptr_t last;
    unsigned count;
};

/* 1: that was the last one. 2: there are too many. */
static int note_table(struct dl_phdr_info *info, size_t size, void *data)
{
    struct note *note = data;
    (void)size;
    if (!is_searched(info, &note->search))
        return 0;
    if (note->count == NOTED_MAX)
        return 2;
    if (read_table(info, &noted[note->count]))
        note->count++;
    return holds(info, note->last);
}

void lh_symbols_note(uintptr_t last)
{
    struct note note = {.search = {.scope = LH_SYMBOL_AFTER_US}, .last = last};
    if (dl_iterate_phdr(note_table, &note) == 1)
        atomic_store_explicit(&noted_count, note.count, memory_order_release);
}

static int read_loads(struct dl_phdr_info *info, size_t size, void *data)
{
    if (size >= offsetof(struct dl_phdr_info, dlpi_adds) + sizeof(info->dlpi_adds))
        *(uint64_t *)data = info->dlpi_adds;
    return 1; /* each object says the same */
}

uint64_t lh_symbols_loads(void)
{
    uint64_t loads = 0;
    dl_iterate_phdr(read_loads, &loads);
    return loads;
}

struct place {
    uintptr_t address;
    char *path;
    size_t size;
    int result;
};

static int note_path(struct dl_phdr_info *info, size_t size, void *data)
{
    struct place *place = data;
    (void)size;
    if (!holds(info, place->address))
        return 0;
    size_t length = strlen(info->dlpi_name);
    place->result = length < place->size ? 0 : -ENAMETOOLONG;
    if (place->result == 0)
        memcpy(place->path, info->dlpi_name, length + 1);
    return 1;
}

int lh_object_path(uintptr_t address, char *path, size_t size)
{
    struct place place = {.address = address, .path = path, .size = size, .result = -ENOENT};
    dl_iterate_phdr(note_path, &place);
    return place.result;
}

struct code {
    uintptr_t address;
    uintptr_t from;
    uintptr_t to;
};

static int note_code(struct dl_phdr_info *info, size_t size, void *data)
{
    struct code *code = data;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD || code->address - from >= part->p_memsz)
            continue;
        code->from = from;
        code->to = from + part->p_memsz;
        return 1;
    }
    return 0;
}

int lh_object_code(uintptr_t address, uintptr_t *from, uintptr_t *to)
{
    struct code code = {.address = address};
    if (dl_iterate_phdr(note_code, &code) == 0)
        return -ENOENT;
    *from = code.from;
    *to = code.to;
    return 0;
}

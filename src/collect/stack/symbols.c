/* SPDX-License-Identifier: Apache-2.0 */
/* Functions and source lines of one ELF file.
 *
 * Runs in the collector. libdw's own search for an address goes through the whole symbol table each
 * time, milliseconds in a program of 100,000 symbols, so the functions are sorted once here, 16
 * bytes each; their names stay where libdw has mapped them. What was found is kept by address. */
#include "collect/stack/symbols.h"

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/stack/debug_file.h"
#include "collect/stack/demangle.h"
#include "collect/stack/dwarf.h"
#include "collect/stack/frame_kind.h"
#include "common/options.h"

#define NESTED_MAX   16u    /* symbols that start later than the one an address lies in */
#define PLACES_MAX   16384u /* remembered addresses, then they are forgotten all at once */
#define PLACES_FIRST 64u    /* a power of two, like every size of the table */

struct function {
    uint64_t start;
    uint32_t size;
    uint32_t index; /* in libdw's symbol table, for the name */
};

struct place {
    uint64_t vaddr;
    struct lh_symbol *symbols; /* NULL: a free slot */
    uint32_t count;
};

struct lh_symbols {
    _Atomic uint32_t users;
    Dwfl *dwfl;
    Dwfl_Module *module;
    bool has_lines; /* its debug information is read: that of interpreters is large, and says
                       nothing that their functions' names do not */
    bool is_libc;
    struct function *functions;
    size_t function_count;
    struct place *places; /* open addressing */
    uint32_t place_slots;
    uint32_t place_count;
    struct lh_demangler *names;
};

static bool is_function(const GElf_Sym *symbol, GElf_Word section)
{
    int type = GELF_ST_TYPE(symbol->st_info);
    return section != SHN_UNDEF && symbol->st_size > 0 && symbol->st_size <= UINT32_MAX &&
           (type == STT_FUNC || type == STT_NOTYPE || type == STT_GNU_IFUNC);
}

/* By where they start, and of those that start together by their index: they come in its order,
 * which each round keeps. A byte a round, from the lowest on; those of addresses that all have are
 * left out. A comparison for each step of a sort would take a program of 100,000 symbols ten times
 * as long. */
static void sort_functions(struct function *functions, size_t count, struct function *room)
{
    struct function *from = functions;
    struct function *to = room;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t begins[256] = {0};
        for (size_t i = 0; i < count; i++)
            begins[from[i].start >> shift & 255]++;
        if (count == 0 || begins[from[0].start >> shift & 255] == count)
            continue;
        size_t sum = 0;
        for (unsigned byte = 0; byte < 256; byte++) {
            size_t own = begins[byte];
            begins[byte] = sum;
            sum += own;
        }
        for (size_t i = 0; i < count; i++)
            to[begins[from[i].start >> shift & 255]++] = from[i];
        struct function *swap = from;
        from = to;
        to = swap;
    }
    if (from != functions)
        memcpy(functions, from, count * sizeof(*functions));
}

static const char *name_of(struct lh_symbols *symbols, uint32_t index, GElf_Sym *symbol)
{
    GElf_Addr address;
    return dwfl_module_getsym_info(symbols->module, (int)index, symbol, &address, NULL, NULL, NULL);
}

static size_t leading_underscores(const char *name)
{
    return strspn(name, "_");
}

/* Is `challenger` a better name for the same function? Of `__GI_poll`, `__poll` and `poll` the
 * public one with the fewest underscores is what a person calls it. */
static bool is_better(const char *name, const GElf_Sym *symbol, const char *challenger,
                      const GElf_Sym *challenger_symbol)
{
    bool local = GELF_ST_BIND(symbol->st_info) == STB_LOCAL;
    bool challenger_local = GELF_ST_BIND(challenger_symbol->st_info) == STB_LOCAL;
    if (local != challenger_local)
        return local;
    return leading_underscores(challenger) < leading_underscores(name);
}

/* The best name of all that start where function `at` does. */
static const char *best_name(struct lh_symbols *symbols, size_t at)
{
    uint64_t start = symbols->functions[at].start;
    while (at > 0 && symbols->functions[at - 1].start == start)
        at--;
    GElf_Sym best_symbol;
    const char *best = name_of(symbols, symbols->functions[at].index, &best_symbol);
    while (++at < symbols->function_count && symbols->functions[at].start == start) {
        GElf_Sym symbol;
        const char *name = name_of(symbols, symbols->functions[at].index, &symbol);
        if (name == NULL || (best != NULL && !is_better(best, &best_symbol, name, &symbol)))
            continue;
        best = name;
        best_symbol = symbol;
    }
    return best != NULL && best[0] != '\0' ? lh_demangle(symbols->names, best) : NULL;
}

static void collect_functions(struct lh_symbols *symbols)
{
    int count = dwfl_module_getsymtab(symbols->module);
    if (count <= 0)
        return;
    struct function *functions = malloc((size_t)count * sizeof(*functions));
    struct function *room = malloc((size_t)count * sizeof(*room));
    if (functions == NULL || room == NULL) {
        free(functions);
        free(room);
        return;
    }
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        GElf_Word section = SHN_UNDEF;
        const char *name =
            dwfl_module_getsym_info(symbols->module, i, &symbol, &address, &section, NULL, NULL);
        if (name != NULL && is_function(&symbol, section))
            functions[used++] = (struct function){address, (uint32_t)symbol.st_size, (uint32_t)i};
    }
    sort_functions(functions, used, room);
    free(room);
    struct function *fitted = realloc(functions, (used > 0 ? used : 1) * sizeof(*functions));
    symbols->functions = fitted != NULL ? fitted : functions;
    symbols->function_count = used;
}

static const char *find_function(struct lh_symbols *symbols, uint64_t vaddr)
{
    size_t low = 0;
    size_t high = symbols->function_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->functions[middle].start <= vaddr)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t back = 1; back <= NESTED_MAX && back <= low; back++) {
        const struct function *function = &symbols->functions[low - back];
        if (vaddr - function->start < function->size)
            return best_name(symbols, low - back);
    }
    return NULL;
}

/* The slot of this address, or the free one where it belongs. */
static struct place *find_place(struct place *places, uint32_t slots, uint64_t vaddr)
{
    uint32_t at = (uint32_t)((vaddr * 0x9e3779b97f4a7c15u) >> 32);
    for (;; at++) {
        struct place *place = &places[at & (slots - 1)];
        if (place->symbols == NULL || place->vaddr == vaddr)
            return place;
    }
}

static void forget_places(struct lh_symbols *symbols)
{
    for (uint32_t i = 0; i < symbols->place_slots; i++)
        free(symbols->places[i].symbols);
    if (symbols->place_slots > 0)
        memset(symbols->places, 0, symbols->place_slots * sizeof(*symbols->places));
    symbols->place_count = 0;
}

/* Makes room for one more place; false: no memory, then it is not remembered. */
static bool grow_places(struct lh_symbols *symbols)
{
    if (symbols->place_count * 2 < symbols->place_slots)
        return true;
    if (symbols->place_count >= PLACES_MAX) {
        forget_places(symbols);
        return true;
    }
    uint32_t slots = symbols->place_slots == 0 ? PLACES_FIRST : symbols->place_slots * 2;
    struct place *places = calloc(slots, sizeof(*places));
    if (places == NULL)
        return false;
    for (uint32_t i = 0; i < symbols->place_slots; i++)
        if (symbols->places[i].symbols != NULL)
            *find_place(places, slots, symbols->places[i].vaddr) = symbols->places[i];
    free(symbols->places);
    symbols->places = places;
    symbols->place_slots = slots;
    return true;
}

static void remember(struct lh_symbols *symbols, uint64_t vaddr, const struct lh_symbol *found,
                     uint32_t count)
{
    struct lh_symbol *kept = malloc(count * sizeof(*kept));
    if (kept == NULL || !grow_places(symbols)) {
        free(kept);
        return;
    }
    memcpy(kept, found, count * sizeof(*kept));
    struct place *place = find_place(symbols->places, symbols->place_slots, vaddr);
    place->vaddr = vaddr;
    place->symbols = kept;
    place->count = count;
    symbols->place_count++;
}

/* How each program and each thread begins. On most stacks nothing else is of libc, whose debug
 * information, megabytes, would be unpacked for these lines alone. */
static bool is_beginning(const struct lh_symbols *symbols, const char *function)
{
    static const char names[] = "__libc_start*,generic_start_main*,start_thread,clone,clone3";
    return symbols->is_libc && function != NULL && lh_glob_list_match(names, function);
}

/* The symbol table knows the name by which the linker put it there; only without it, what the
 * debug information calls it. */
static uint32_t resolve(struct lh_symbols *symbols, uint64_t vaddr, struct lh_symbol *found)
{
    const char *function = find_function(symbols, vaddr);
    uint32_t count = 0;
    if (symbols->has_lines && !is_beginning(symbols, function))
        count = lh_dwarf_find(symbols->module, vaddr, symbols->names, found, LH_SYMBOLS_MAX);
    if (count == 0)
        found[count++] = (struct lh_symbol){0};
    if (function != NULL)
        found[count - 1].function = function;
    return count;
}

uint32_t lh_symbols_find(struct lh_symbols *symbols, uint64_t vaddr,
                         struct lh_symbol found[LH_SYMBOLS_MAX])
{
    if (symbols->place_slots > 0) {
        const struct place *known = find_place(symbols->places, symbols->place_slots, vaddr);
        if (known->symbols != NULL) {
            memcpy(found, known->symbols, known->count * sizeof(*found));
            return known->count;
        }
    }
    uint32_t count = resolve(symbols, vaddr, found);
    remember(symbols, vaddr, found, count);
    return count;
}

/* libdw takes the descriptor over when it succeeds. */
static Dwfl_Module *report_file(Dwfl *dwfl, int fd, const char *path)
{
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return NULL;
    dwfl_report_begin(dwfl);
    Dwfl_Module *module = dwfl_report_elf(dwfl, path, path, own, 0, true);
    dwfl_report_end(dwfl, NULL, NULL);
    if (module == NULL)
        close(own);
    return module;
}

static enum lh_frame_kind kind_of_file(const char *path)
{
    const struct lh_frame frame = {.lang = LH_LANG_NATIVE, .module = path};
    return lh_frame_kind_of(&frame);
}

struct lh_symbols *lh_symbols_new(int fd, const char *path)
{
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf, /* never asked: the file is given */
        .find_debuginfo = lh_debug_file_find,
        .section_address = dwfl_offline_section_address,
    };
    struct lh_symbols *symbols = calloc(1, sizeof(*symbols));
    if (symbols == NULL)
        return NULL;
    atomic_store(&symbols->users, 1);
    symbols->is_libc = kind_of_file(path) == LH_FRAME_LIBC;
    symbols->has_lines = kind_of_file(path) != LH_FRAME_INTERPRETER && lh_debug_file_fits(fd);
    symbols->names = lh_demangler_new();
    symbols->dwfl = dwfl_begin(&callbacks);
    if (symbols->names != NULL && symbols->dwfl != NULL)
        symbols->module = report_file(symbols->dwfl, fd, path);
    if (symbols->module == NULL) {
        lh_symbols_release(symbols);
        return NULL;
    }
    collect_functions(symbols);
    return symbols;
}

void lh_symbols_hold(struct lh_symbols *symbols)
{
    if (symbols != NULL)
        atomic_fetch_add(&symbols->users, 1);
}

void lh_symbols_release(struct lh_symbols *symbols)
{
    if (symbols == NULL || atomic_fetch_sub(&symbols->users, 1) != 1)
        return;
    if (symbols->dwfl != NULL)
        dwfl_end(symbols->dwfl);
    lh_demangler_free(symbols->names);
    forget_places(symbols);
    free(symbols->functions);
    free(symbols->places);
    free(symbols);
}

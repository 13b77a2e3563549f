/* SPDX-License-Identifier: Apache-2.0 */
/* Where an address stands in the source. See dwarf.h. Runs in the collector.
 *
 * libdw's own search for the scopes of an address reads a whole unit, which may be a whole program
 * (link time optimisation): the tree is gone down here, only where the address is. */
#include "collect/stack/dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define DEPTH_MAX  64u /* of scopes inside one another */
#define SPACES_MAX 16u /* of name spaces inside one another */

struct search {
    Dwarf_Addr pc;
    Dwarf_Die scopes[DEPTH_MAX]; /* functions and inlined calls, outermost first */
    uint32_t count;
};

enum kind { NO_SCOPE, SPACE, BLOCK, FUNCTION };

static enum kind kind_of(Dwarf_Die *die)
{
    switch (dwarf_tag(die)) {
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_structure_type: /* Rust's and clang's units have functions in all of these */
    case DW_TAG_class_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
        return SPACE;
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_with_stmt:
        return BLOCK;
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
        return FUNCTION;
    default:
        return NO_SCOPE;
    }
}

/* Goes on below `*die` with the scope the address lies in: true, and *die is that one. */
static bool descend(struct search *search, Dwarf_Die *die, uint32_t spaces)
{
    Dwarf_Die child;
    if (dwarf_child(die, &child) != 0)
        return false;
    do {
        enum kind kind = kind_of(&child);
        if (kind == SPACE && spaces < SPACES_MAX) {
            Dwarf_Die inner = child;
            if (descend(search, &inner, spaces + 1)) {
                *die = inner;
                return true;
            }
        } else if (kind >= BLOCK && dwarf_haspc(&child, search->pc) == 1) {
            if (kind == FUNCTION && search->count < DEPTH_MAX)
                search->scopes[search->count++] = child;
            *die = child;
            return true;
        }
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* With -gsplit-dwarf the tree is in a file of its own (.dwo, .dwp); the lines are in this one. */
static Dwarf_Die tree_of(const Dwarf_Die *unit)
{
    Dwarf_Die tree = {0};
    uint8_t type = 0;
    if (dwarf_cu_info(unit->cu, NULL, &type, NULL, &tree, NULL, NULL, NULL) == 0 &&
        type == DW_UT_skeleton && tree.addr != NULL)
        return tree;
    return *unit;
}

static void find_scopes(struct search *search, const Dwarf_Die *unit)
{
    Dwarf_Die die = tree_of(unit);
    search->count = 0;
    for (uint32_t depth = 0; depth < DEPTH_MAX && descend(search, &die, 0); depth++)
        ;
}

/* clang writes no .debug_aranges, so that libdw finds no unit by address: then ask each. What it
 * does find may be the unit before a function that has none. */
static Dwarf_Die *find_unit(Dwfl_Module *module, uint64_t vaddr, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, vaddr, bias);
    if (unit != NULL)
        return dwarf_haspc(unit, vaddr - *bias) == 1 ? unit : NULL;
    while ((unit = dwfl_module_nextcu(module, unit, bias)) != NULL)
        if (dwarf_haspc(unit, vaddr - *bias) == 1)
            return unit;
    return NULL;
}

/* The declaration behind a copy of a function. */
static void find_origin(Dwarf_Die *die)
{
    static const unsigned links[] = {DW_AT_abstract_origin, DW_AT_specification};
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        Dwarf_Attribute attribute;
        Dwarf_Die origin;
        if (dwarf_formref_die(dwarf_attr(die, links[i], &attribute), &origin) != NULL)
            *die = origin;
    }
}

/* A class without a name is mostly a lambda's, the demangler's word for which this is. */
static const char *space_name(Dwarf_Die *space)
{
    const char *name = dwarf_diename(space);
    if (name != NULL)
        return name;
    return dwarf_tag(space) == DW_TAG_namespace ? "(anonymous namespace)" : "{lambda}";
}

/* "shop::(anonymous namespace)::inner" of a function that has no linker's name to tell it. */
static const char *qualified_name(Dwarf_Die *die, struct lh_demangler *demangler)
{
    Dwarf_Die origin = *die;
    Dwarf_Die *scopes = NULL;
    char text[512];
    struct lh_text name;
    find_origin(&origin);
    int count = dwarf_getscopes_die(&origin, &scopes);
    lh_text_init(&name, text, sizeof(text));
    for (int i = count - 1; i > 0; i--) {
        bool function = dwarf_tag(&scopes[i]) == DW_TAG_subprogram;
        if (!function && kind_of(&scopes[i]) != SPACE)
            continue;
        lh_text_string(&name, space_name(&scopes[i]));
        lh_text_string(&name, "::");
    }
    free(scopes);
    const char *own = dwarf_diename(die);
    lh_text_string(&name, own != NULL ? own : "");
    return own == NULL ? NULL : lh_demangler_keep(demangler, text);
}

static bool has_spaces(Dwarf_Die *die)
{
    Dwarf_Die unit;
    int language = dwarf_diecu(die, &unit, NULL, NULL) != NULL ? dwarf_srclang(&unit) : -1;
    return language == DW_LANG_C_plus_plus || language == DW_LANG_C_plus_plus_03 ||
           language == DW_LANG_C_plus_plus_11 || language == DW_LANG_C_plus_plus_14 ||
           language == DW_LANG_Rust;
}

static const char *name_of(Dwarf_Die *die, struct lh_demangler *demangler)
{
    static const unsigned linker_names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
    Dwarf_Attribute attribute;
    for (size_t i = 0; i < sizeof(linker_names) / sizeof(linker_names[0]); i++) {
        const char *name = dwarf_formstring(dwarf_attr_integrate(die, linker_names[i], &attribute));
        if (name != NULL)
            return lh_demangle(demangler, name);
    }
    return has_spaces(die) ? qualified_name(die, demangler) : dwarf_diename(die);
}

static Dwarf_Word number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    dwarf_formudata(dwarf_attr(die, name, &attribute), &value);
    return value;
}

static void put_place(struct lh_symbol *symbol, const char *file, int64_t line)
{
    bool known = file != NULL && line > 0 && line <= UINT32_MAX;
    symbol->file = known ? file : NULL;
    symbol->line = known ? (uint32_t)line : 0;
}

static void put_line(Dwarf_Die *unit, Dwarf_Addr pc, struct lh_symbol *symbol)
{
    int number = 0;
    Dwarf_Line *line = dwarf_getsrc_die(unit, pc);
    bool known = line != NULL && dwarf_lineno(line, &number) == 0;
    put_place(symbol, known ? dwarf_linesrc(line, NULL, NULL) : NULL, number);
}

/* Where the inlined call `die` was made. */
static void put_call(Dwarf_Die *unit, Dwarf_Die *die, struct lh_symbol *symbol)
{
    Dwarf_Files *files;
    size_t count = 0;
    Dwarf_Word file = number_of(die, DW_AT_call_file);
    bool known = dwarf_getsrcfiles(unit, &files, &count) == 0 && file < count;
    put_place(symbol, known ? dwarf_filesrc(files, file, NULL, NULL) : NULL,
              (int64_t)number_of(die, DW_AT_call_line));
}

static void put_directory(Dwarf_Die *unit, struct lh_symbol *found, uint32_t count)
{
    Dwarf_Attribute attribute;
    const char *directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    for (uint32_t i = 0; i < count; i++)
        found[i].directory = directory;
}

uint32_t lh_dwarf_find(Dwfl_Module *module, uint64_t vaddr, struct lh_demangler *demangler,
                       struct lh_symbol *found, uint32_t most)
{
    Dwarf_Addr bias = 0;
    Dwarf_Die *unit = find_unit(module, vaddr, &bias);
    if (unit == NULL || most == 0)
        return 0;
    struct search search = {.pc = vaddr - bias};
    find_scopes(&search, unit);
    memset(found, 0, most * sizeof(*found));
    put_line(unit, search.pc, &found[0]);
    uint32_t count = 0;
    for (uint32_t i = search.count; i > 0; i--) {
        Dwarf_Die *scope = &search.scopes[i - 1];
        found[count].function = name_of(scope, demangler);
        if (dwarf_tag(scope) != DW_TAG_inlined_subroutine)
            break;
        if (count + 1 == most)
            break;
        found[count++].inlined = true;
        put_call(unit, scope, &found[count]);
    }
    put_directory(unit, found, count + 1);
    return count + 1;
}

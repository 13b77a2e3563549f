/* SPDX-License-Identifier: Apache-2.0 */
/* From a record to the stack that is reported. Runs in the collector, one thread for each watched
 * process; ELF files and symbols are shared between them (elf_file.c). */
#include "collect/stack/stack.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/stack/frame_kind.h"
#include "collect/stack/home.h"
#include "collect/stack/jit_map.h"
#include "collect/stack/merge.h"
#include "collect/stack/modules.h"
#include "collect/stack/named.h"
#include "collect/stack/runtimes.h"
#include "collect/stack/scripts.h"
#include "collect/stack/unwind.h"
#include "common/js_frame.h"
#include "common/options.h"
#include "common/text.h"

/* Walked: more than is reported, for an interpreter's own frames give way to the others. */
#define NATIVE_MAX 1024u
#define MERGED_MAX (NATIVE_MAX + LH_PYTHON_FRAMES + LH_JS_FRAMES)

struct lh_stacks {
    struct lh_modules modules;
    struct lh_unwinder *unwinder;
    struct lh_named *named;
    uint64_t number; /* lh_stacks_number() */
    struct lh_jit_map *jit_map;
    struct lh_scripts *scripts;
    struct lh_native_frame native[NATIVE_MAX];
    struct lh_merged_frame merged[MERGED_MAX];
    struct lh_merged_frame former[MERGED_MAX];
    struct lh_kept kept;           /* whose names the frames have */
    const char *project;           /* LOOPHOUND_PROJECT */
    char strings[LH_STRING_BYTES]; /* names of Python and JavaScript: the record may go before the
                                      frames do */
};

struct lh_stacks *lh_stacks_open(pid_t pid, int maps_fd, const char *project)
{
    struct lh_stacks *stacks = calloc(1, sizeof(*stacks));
    if (stacks == NULL) {
        if (maps_fd >= 0)
            close(maps_fd);
        return NULL;
    }
    stacks->project = project;
    lh_modules_open(&stacks->modules, pid, maps_fd);
    stacks->unwinder = lh_unwinder_new(&stacks->modules);
    stacks->named = lh_named_new();
    stacks->jit_map = lh_jit_map_new(pid, maps_fd);
    stacks->scripts = lh_scripts_new(pid);
    if (stacks->unwinder == NULL || stacks->named == NULL || stacks->jit_map == NULL ||
        stacks->scripts == NULL) {
        lh_stacks_close(stacks);
        return NULL;
    }
    return stacks;
}

/* Also its version, where a file has one in its path. */
static bool is_loaded(const struct lh_stacks *stacks, const struct lh_runtime *runtime,
                      char *version, size_t size)
{
    bool found = false;
    bool told = false;
    for (uint32_t i = 0; i < stacks->modules.module_count && !told; i++) {
        const char *path = stacks->modules.modules[i].path;
        if (path == NULL || !lh_runtime_has(runtime, path))
            continue;
        found = true;
        told = lh_runtime_version(runtime, path, version, size);
    }
    return found;
}

const char *lh_stacks_runtime(const struct lh_stacks *stacks, char *version, size_t size)
{
    uint32_t i = 0;
    version[0] = '\0';
    while (i < LH_RUNTIMES && !is_loaded(stacks, &lh_runtimes[i], version, size))
        i++;
    return i < LH_RUNTIMES ? lh_runtimes[i].name : NULL;
}

void lh_stacks_close(struct lh_stacks *stacks)
{
    if (stacks == NULL)
        return;
    lh_kept_let_go(&stacks->kept);
    lh_scripts_free(stacks->scripts);
    lh_jit_map_free(stacks->jit_map);
    lh_named_free(stacks->named);
    lh_unwinder_free(stacks->unwinder);
    lh_modules_close(&stacks->modules);
    free(stacks);
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static struct lh_frame python_frame(const struct lh_stacks *stacks,
                                    const struct lh_python_frame *python)
{
    return (struct lh_frame){
        .lang = LH_LANG_PYTHON,
        .function = text_or_null(stacks->strings + python->function),
        .file = text_or_null(stacks->strings + python->file),
        .line = python->line,
    };
}

static struct lh_frame js_frame(struct lh_stacks *stacks, const struct lh_js_frame *js)
{
    struct lh_frame frame = lh_js_frame_of(js, stacks->strings);
    lh_scripts_apply(stacks->scripts, js, &frame);
    return frame;
}

/* Code that was made at run time: in memory without a file, or in a memfd that holds no program. */
static bool is_jit(const struct lh_module *module)
{
    return module->path == NULL || lh_starts_with(module->path, "/memfd:") ||
           lh_starts_with(module->path, "[anon") || lh_starts_with(module->path, "//anon");
}

static struct lh_frame jit_frame(const struct lh_jit_symbol *symbol)
{
    return (struct lh_frame){.lang = LH_LANG_JIT,
                             .function = symbol->function,
                             .file = symbol->file,
                             .line = symbol->line};
}

/* V8's interpreter has one native function for all of JavaScript's; which one runs is told by its
 * bytecode, an object on the heap to which the frame has a pointer: the fourth word below the frame
 * pointer, or one next to it (src/execution/frame-constants.h). Pointers of V8's are odd, and the
 * bytecode itself, which is what the map names, begins a little behind the object. */
static bool is_interpreted(struct lh_stacks *stacks, const struct lh_record *record,
                           const struct lh_native_frame *native, const char *function,
                           struct lh_jit_symbol *found)
{
    const uint64_t header_bytes = 96;
    if (function == NULL || strcmp(function, "Builtins_InterpreterEntryTrampoline") != 0)
        return false;
    for (uint64_t below = 3; below <= 6; below++) {
        uint64_t object;
        if (lh_stack_word(record, native->fp - below * sizeof(object), &object) &&
            (object & 1) != 0 &&
            lh_jit_map_find_behind(stacks->jit_map, object, header_bytes, found))
            return true;
    }
    return false;
}

/* One frame for the function, and one before it for each call that was inlined there. Returns how
 * many these are, of which `most` are put. */
static uint32_t put_symbols(struct lh_stacks *stacks, struct lh_elf *elf,
                            const struct lh_native_frame *native, const struct lh_frame *place,
                            struct lh_frame *frames, uint32_t most)
{
    struct lh_symbol found[LH_SYMBOLS_MAX];
    /* A return address may already belong to the next line, or the next function. */
    uint32_t count =
        lh_elf_symbols(elf, place->offset - (native->exact ? 0 : 1), found, &stacks->kept);
    const struct lh_symbol *symbol = found;
    if (lh_frame_kind_of(place) == LH_FRAME_INTERPRETER) {
        symbol = &found[count - 1]; /* they would fill the stack, and say nothing */
        count = 1;
    }
    for (uint32_t i = 0; i < count && i < most; i++, symbol++) {
        frames[i] = *place;
        frames[i].function = symbol->function;
        frames[i].file = symbol->file;
        frames[i].line = symbol->line;
        frames[i].directory = symbol->directory;
        frames[i].inlined = symbol->inlined;
        if (symbol->function == NULL)
            frames[i].build_id = lh_elf_build_id(elf);
    }
    return count;
}

/* What the address alone tells. */
static uint32_t name_native(struct lh_stacks *stacks, const struct lh_native_frame *native,
                            struct lh_frame *frames, uint32_t most)
{
    struct lh_jit_symbol symbol = {0};
    frames[0] = (struct lh_frame){.lang = LH_LANG_NATIVE};
    const struct lh_mapping *mapping = lh_modules_find(&stacks->modules, native->pc);
    if (mapping == NULL)
        return 1;
    struct lh_elf *elf = lh_modules_elf(&stacks->modules, mapping);
    const struct lh_module *module = &stacks->modules.modules[mapping->module];
    if (elf == NULL && is_jit(module)) {
        lh_jit_map_find(stacks->jit_map, native->pc - (native->exact ? 0 : 1), &symbol);
        frames[0] = jit_frame(&symbol);
        return 1;
    }
    struct lh_frame place = {.lang = LH_LANG_NATIVE, .module = module->path};
    frames[0] = place;
    if (elf == NULL ||
        !lh_elf_vaddr(elf, native->pc - mapping->start + mapping->file_offset, &place.offset))
        return 1;
    return put_symbols(stacks, elf, native, &place, frames, most);
}

/* The names of made code change, and those for which there was no room are not known yet. */
static bool can_be_kept(const struct lh_stacks *stacks, const struct lh_frame *frame)
{
    return frame->lang != LH_LANG_JIT && stacks->kept.count < LH_KEPT_MAX;
}

/* Named once for each address. False in *lasting: it may have another name next time. */
static uint32_t find_native(struct lh_stacks *stacks, const struct lh_native_frame *native,
                            struct lh_frame *frames, uint32_t most, bool *lasting)
{
    struct lh_frame all[LH_SYMBOLS_MAX];
    uint32_t count = lh_named_find(stacks->named, native, frames, most);
    if (count > 0)
        return count;
    count = name_native(stacks, native, all, LH_SYMBOLS_MAX);
    lh_frames_class(all, count, stacks->project);
    memcpy(frames, all, (count < most ? count : most) * sizeof(frames[0]));
    if (!can_be_kept(stacks, &all[0]) || !lh_named_keep(stacks->named, native, all, count))
        *lasting = false;
    return count;
}

static uint32_t put_native(struct lh_stacks *stacks, const struct lh_record *record,
                           const struct lh_native_frame *native, struct lh_frame *frames,
                           uint32_t most, bool *lasting)
{
    struct lh_jit_symbol symbol = {0};
    uint32_t count = find_native(stacks, native, frames, most, lasting);
    if (count <= most &&
        is_interpreted(stacks, record, native, frames[count - 1].function, &symbol)) {
        frames[count - 1] = jit_frame(&symbol);
        *lasting = false;
    }
    return count;
}

static bool is_interpreters(const struct lh_stacks *stacks, const struct lh_native_frame *native)
{
    const struct lh_mapping *mapping = lh_modules_find(&stacks->modules, native->pc);
    const struct lh_frame frame = {
        .lang = LH_LANG_NATIVE,
        .module = mapping != NULL ? stacks->modules.modules[mapping->module].path : NULL};
    return lh_frame_kind_of(&frame) == LH_FRAME_INTERPRETER;
}

/* Of a stack with more frames than are reported, those of CPython's own go first: they say nothing
 * that its Python frames do not, and the user's line may be far out. Returns how many are left. */
static uint32_t leave_out_interpreters(struct lh_stacks *stacks, uint32_t count, uint32_t most)
{
    uint32_t left = 0;
    if (count <= most)
        return count;
    for (uint32_t i = 0; i < count; i++) {
        struct lh_merged_frame at = stacks->merged[i];
        if (at.from != LH_MERGED_NATIVE || !is_interpreters(stacks, &stacks->native[at.index]))
            stacks->merged[left++] = at;
    }
    return left;
}

/* Why the last frame is not the outermost one. */
static enum lh_cut how_cut(const struct lh_stacks *stacks, const struct lh_record *record,
                           bool has_more, bool left_out)
{
    if (has_more || record->python_cut != 0 || record->js_cut != 0)
        return LH_CUT_FRAMES;
    if (lh_unwinder_was_cut(stacks->unwinder))
        return LH_CUT_BYTES;
    return left_out ? LH_CUT_INTERPRETER : LH_CUT_NONE;
}

/* What is known to match a regular expression: code of V8's, or made for it at run time. */
static bool may_match(const struct lh_frame *frame)
{
    return frame->function != NULL ? lh_glob_list_match("*RegExp*,*Irregexp*", frame->function)
                                   : frame->lang == LH_LANG_JIT;
}

/* A function of the program's has one in its frame: at it only where the innermost code is. */
static void doubt_regexp(struct lh_frame *frames, uint32_t count)
{
    uint32_t script = 0;
    bool matches = false;
    for (;
         script < count && (frames[script].lang != LH_LANG_JIT || frames[script].function == NULL);
         script++)
        matches = matches || may_match(&frames[script]);
    if (script < count && frames[script].file != NULL && !matches)
        frames[script].about = (struct lh_about){.kind = LH_JS_ABOUT_NOTHING};
}

/* With the names the numbers of stacks go: asked for again, a name may be another one. */
static void begin_names(struct lh_stacks *stacks)
{
    if (lh_named_begin(stacks->named, stacks->modules.generation))
        lh_unwinder_forget(stacks->unwinder);
}

static uint32_t unwind(struct lh_stacks *stacks, const struct lh_record *record)
{
    begin_names(stacks);
    uint32_t count = lh_unwind(stacks->unwinder, record, stacks->native, NATIVE_MAX);
    begin_names(stacks); /* it may have read the map again */
    return count;
}

uint32_t lh_stacks_build(struct lh_stacks *stacks, const struct lh_record *record,
                         struct lh_frame *frames, uint32_t most)
{
    stacks->number = 0;
    if (most > LH_STACK_FRAMES_MAX)
        most = LH_STACK_FRAMES_MAX;
    lh_stacks_let_go(stacks);
    if (most == 0)
        return 0;
    memcpy(stacks->strings, record->strings, record->strings_length);
    uint32_t native = unwind(stacks, record);
    bool lasting = record->python_count == 0 && record->js_count == 0;
    uint32_t merged = lh_merge(stacks->native, native, record->python, record->python_count,
                               record->python_loop, stacks->merged, MERGED_MAX);
    if (record->js_count > 0)
        merged = lh_merge_js(stacks->native, native, record->js, record->js_count, stacks->merged,
                             merged, MERGED_MAX, stacks->former);
    uint32_t all = merged;
    merged = leave_out_interpreters(stacks, merged, most);
    uint32_t count = 0;
    uint32_t i = 0;
    for (; i < merged && count < most; i++) {
        struct lh_merged_frame at = stacks->merged[i];
        if (at.from == LH_MERGED_PYTHON)
            frames[count++] = python_frame(stacks, &record->python[at.index]);
        else if (at.from == LH_MERGED_JS)
            frames[count++] = js_frame(stacks, &record->js[at.index]);
        else
            count += put_native(stacks, record, &stacks->native[at.index], &frames[count],
                                most - count, &lasting);
    }
    stacks->number = lasting ? lh_unwinder_number(stacks->unwinder) : 0;
    bool has_more = i < merged || count > most;
    count = count < most ? count : most;
    doubt_regexp(frames, count);
    lh_frames_class(frames, count, stacks->project);
    uint32_t first_user = lh_first_of_user(frames, count);
    if (first_user < count)
        frames[first_user].user = true;
    if (count > 0)
        frames[count - 1].cut = (uint8_t)how_cut(stacks, record, has_more, merged < all);
    return count;
}

void lh_stacks_let_go(struct lh_stacks *stacks)
{
    lh_kept_let_go(&stacks->kept);
    lh_jit_map_let_go(stacks->jit_map);
    lh_scripts_let_go(stacks->scripts);
}

void lh_stacks_give_up(struct lh_stacks *stacks)
{
    lh_stacks_let_go(stacks);
    lh_named_forget(stacks->named);
    lh_unwinder_forget(stacks->unwinder);
    lh_jit_map_give_up(stacks->jit_map);
    lh_scripts_give_up(stacks->scripts);
}

uint64_t lh_stacks_number(const struct lh_stacks *stacks)
{
    return stacks->number;
}

struct lh_unwound_counts lh_stacks_counts(const struct lh_stacks *stacks)
{
    return lh_unwinder_counts(stacks->unwinder);
}

bool lh_stacks_old_map(const struct lh_stacks *stacks)
{
    return lh_jit_map_is_old(stacks->jit_map);
}

const char *lh_stacks_flaw(struct lh_stacks *stacks, enum lh_script_flaw *flaw)
{
    return lh_scripts_flaw(stacks->scripts, flaw);
}

void lh_stacks_count_flaws(const struct lh_stacks *stacks, struct lh_totals *totals)
{
    for (uint32_t i = 0; i < LH_SCRIPT_FLAW_COUNT; i++)
        atomic_store(&totals->flaws[i], lh_scripts_flawed(stacks->scripts, (enum lh_script_flaw)i));
}

/* The function's own name is the last one, after those that were inlined there. */
static enum lh_home_role role_of(struct lh_stacks *stacks, const struct lh_record *record,
                                 const struct lh_native_frame *native)
{
    struct lh_frame frames[LH_SYMBOLS_MAX];
    enum lh_home_role role = LH_ROLE_NONE;
    bool lasting = true;
    uint32_t count = put_native(stacks, record, native, frames, LH_SYMBOLS_MAX, &lasting);
    if (frames[0].lang == LH_LANG_JIT)
        return LH_ROLE_MADE;
    for (uint32_t i = 0; i < count && role == LH_ROLE_NONE; i++)
        role = lh_home_role_of(frames[i].function);
    return role;
}

void lh_stacks_find_home(struct lh_stacks *stacks, const struct lh_record *record,
                         struct lh_home *home)
{
    enum lh_home_role roles[NATIVE_MAX];
    uint32_t count = unwind(stacks, record);
    for (uint32_t i = 0; i < count; i++) {
        lh_stacks_let_go(stacks);
        roles[i] = role_of(stacks, record, &stacks->native[i]);
    }
    lh_home_fill(home, record, stacks->native, roles, count);
}

/* From a record to the stack that is reported. Runs in the collector, one thread for each watched
 * process; ELF files and symbols are shared between them (elf_file.c). */
#include "collect/stack.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/merge.h"
#include "collect/modules.h"
#include "collect/unwind.h"
#include "common/options.h"

/* One more than is reported: it says where the last one ends. */
#define NATIVE_MAX (LH_STACK_FRAMES_MAX + 1)

struct lh_stacks {
    struct lh_modules modules;
    struct lh_unwinder *unwinder;
    struct lh_native_frame native[NATIVE_MAX];
    struct lh_merged_frame merged[LH_STACK_FRAMES_MAX];
    char strings[LH_STRING_BYTES]; /* Python names: the record may go before the frames do */
};

struct lh_stacks *lh_stacks_open(pid_t pid, int maps_fd)
{
    struct lh_stacks *stacks = calloc(1, sizeof(*stacks));
    if (stacks == NULL) {
        if (maps_fd >= 0)
            close(maps_fd);
        return NULL;
    }
    lh_modules_open(&stacks->modules, pid, maps_fd);
    stacks->unwinder = lh_unwinder_new(&stacks->modules);
    if (stacks->unwinder == NULL) {
        lh_stacks_close(stacks);
        return NULL;
    }
    return stacks;
}

void lh_stacks_close(struct lh_stacks *stacks)
{
    if (stacks == NULL)
        return;
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

/* Code that was made at run time: in anonymous memory, or in a memfd that holds no program. */
static bool is_jit(const struct lh_module *module)
{
    static const char memfd[] = "/memfd:";
    return module->path == NULL || strncmp(module->path, memfd, sizeof(memfd) - 1) == 0;
}

/* One frame for the function, and one before it for each call that was inlined there. */
static uint32_t put_symbols(struct lh_elf *elf, const struct lh_native_frame *native,
                            const struct lh_frame *place, struct lh_frame *frames, uint32_t most)
{
    struct lh_symbol found[LH_SYMBOLS_MAX];
    /* A return address may already belong to the next line, or the next function. */
    uint32_t count = lh_elf_symbols(elf, place->offset - (native->exact ? 0 : 1), found);
    if (count > most)
        count = most;
    for (uint32_t i = 0; i < count; i++) {
        frames[i] = *place;
        frames[i].function = found[i].function;
        frames[i].file = found[i].file;
        frames[i].line = found[i].line;
        frames[i].inlined = found[i].inlined;
        if (found[i].function == NULL)
            frames[i].build_id = lh_elf_build_id(elf);
    }
    return count;
}

static uint32_t put_native(struct lh_stacks *stacks, const struct lh_native_frame *native,
                           struct lh_frame *frames, uint32_t most)
{
    struct lh_frame frame = {.lang = LH_LANG_NATIVE};
    const struct lh_mapping *mapping = lh_modules_find(&stacks->modules, native->pc);
    if (mapping != NULL) {
        struct lh_elf *elf = lh_modules_elf(&stacks->modules, mapping);
        const struct lh_module *module = &stacks->modules.modules[mapping->module];
        uint64_t file_offset = native->pc - mapping->start + mapping->file_offset;
        if (elf == NULL && is_jit(module))
            frame.lang = LH_LANG_JIT;
        else
            frame.module = module->path;
        if (elf != NULL && lh_elf_vaddr(elf, file_offset, &frame.offset))
            return put_symbols(elf, native, &frame, frames, most);
    }
    frames[0] = frame;
    return 1;
}

uint32_t lh_stacks_build(struct lh_stacks *stacks, const struct lh_record *record,
                         struct lh_frame *frames, uint32_t most)
{
    if (most > LH_STACK_FRAMES_MAX)
        most = LH_STACK_FRAMES_MAX;
    if (most == 0)
        return 0;
    memcpy(stacks->strings, record->strings, record->strings_length);
    uint32_t native = lh_unwind(stacks->unwinder, record, stacks->native, most + 1);
    uint32_t merged = lh_merge(stacks->native, native, record->python, record->python_count,
                               record->python_loop, stacks->merged, most);
    uint32_t count = 0;
    for (uint32_t i = 0; i < merged && count < most; i++) {
        struct lh_merged_frame at = stacks->merged[i];
        if (at.python)
            frames[count++] = python_frame(stacks, &record->python[at.index]);
        else
            count += put_native(stacks, &stacks->native[at.index], &frames[count], most - count);
    }
    return count;
}

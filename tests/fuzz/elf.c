/* SPDX-License-Identifier: Apache-2.0 */
/* An ELF file that may be corrupt, and a stack that is unwound with it: two bytes say where in it
 * the program stands, 128 bytes are its stack, the rest is the file. */
#include <sys/mman.h>
#include <unistd.h>

#include "collect/stack/elf_file.h"
#include "collect/stack/modules.h"
#include "collect/stack/unwind.h"
#include "collect/stack/unwind_table.h"
#include "fuzz.h"

#define LOADED_AT   0x10000000u
#define STACK_AT    0x7000000000u
#define STACK_BYTES 128u
#define FRAMES_MAX  16u
#define LOOKS       16u

static struct lh_record record;

/* The file is in memory: the same bytes are a new file each time. */
static struct lh_elf *open_bytes(const uint8_t *bytes, size_t size)
{
    int fd = memfd_create("fuzzed", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    struct lh_elf *elf = lh_elf_open(fd, "/fuzzed/file");
    close(fd);
    return elf;
}

static void look_around(struct lh_elf *elf, size_t size)
{
    uint8_t few[16];
    struct lh_unwind_entry entry;
    for (unsigned i = 0; i < LOOKS; i++) {
        uint64_t vaddr = i * size / LOOKS;
        (void)lh_elf_vaddr(elf, i * size / LOOKS, &vaddr);
        (void)lh_elf_read(elf, vaddr, few, sizeof(few));
        (void)lh_elf_read_offset(elf, vaddr, few, sizeof(few));
        (void)lh_unwind_entry_find(elf, vaddr, &entry);
        struct lh_symbol found[LH_SYMBOLS_MAX];
        struct lh_symbol again[LH_SYMBOLS_MAX];
        uint32_t count = lh_elf_symbols(elf, vaddr, found, NULL);
        MUST(count >= 1 && count <= LH_SYMBOLS_MAX);
        MUST(lh_elf_symbols(elf, vaddr, again, NULL) == count);
        for (uint32_t at = 0; at < count; at++) {
            MUST(found[at].function == again[at].function && found[at].line == again[at].line);
            MUST(found[at].line == 0 || found[at].file != NULL);
            MUST(found[at].inlined == (at + 1 < count));
        }
    }
    const char *build_id = lh_elf_build_id(elf);
    MUST(build_id == NULL || strlen(build_id) % 2 == 0);
}

/* This process maps nothing there: all that is read comes from the file and the record. */
static void unwind(struct lh_elf *elf, size_t size)
{
    static char path[] = "/fuzzed/file";
    struct lh_native_frame frames[FRAMES_MAX];
    struct lh_module module = {.path = path, .elf = elf, .elf_tried = true, .start = LOADED_AT};
    struct lh_mapping mapping = {
        .start = LOADED_AT, .end = LOADED_AT + size, .file_offset = 0, .executable = true};
    struct lh_modules modules = {.maps_fd = -1,
                                 .mappings = &mapping,
                                 .mapping_count = 1,
                                 .modules = &module,
                                 .module_count = 1};
    struct lh_unwinder *unwinder = lh_unwinder_new(&modules);
    MUST(unwinder != NULL);
    uint32_t count = lh_unwind(unwinder, &record, frames, FRAMES_MAX);
    MUST(count <= FRAMES_MAX);
    for (uint32_t i = 0; i < count; i++)
        MUST(frames[i].pc - LOADED_AT < size);
    lh_unwinder_free(unwinder);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    uint16_t at;
    take(&input, &at, sizeof(at));
    take(&input, record.stack, STACK_BYTES);
    record.registers = (struct lh_registers){.rbx = LOADED_AT,
                                             .fp = STACK_AT + STACK_BYTES / 2,
                                             .r12 = STACK_AT,
                                             .sp = STACK_AT,
                                             .pc = LOADED_AT + at};
    record.stack_address = STACK_AT;
    record.stack_length = STACK_BYTES;
    struct lh_elf *elf = open_bytes(input.at, input.left);
    if (elf == NULL)
        return 0;
    unwind(elf, input.left);
    look_around(elf, input.left);
    lh_elf_release(elf);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in an ELF file. See elf_facts.h.
 *
 * The file may be corrupt, or made to do harm: libelf reads it by pread(2), so that one that is
 * cut meanwhile is no SIGBUS, and no part that is larger than PART_BYTES_MAX is read at all. */
#include "cli/doctor/elf_facts.h"

#include <endian.h>
#include <gelf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cli/doctor/inline_calls.h"
#include "common/syscall_name.h"
#include "common/text.h"

#define PART_BYTES_MAX (64u << 20)
#define SECTIONS_MAX   4096u
#define NAME_BYTES     256u

/* A number of 32 bits that has a name. */
struct variable {
    uint64_t address; /* in … */
    size_t section;   /* … 0: there is none */
};

struct file {
    Elf *elf;
    size_t names; /* the section of section names */
    uint64_t bytes;
    struct lh_program *program;
    struct variable python_version;
    struct variable v8_major;
    struct variable v8_minor;
};

/* NULL: too large, not there, or not in the file. */
static const Elf_Data *part(const struct file *file, Elf_Scn *section)
{
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == NULL || header.sh_type == SHT_NOBITS ||
        (header.sh_flags & SHF_COMPRESSED) != 0 || header.sh_size > PART_BYTES_MAX ||
        header.sh_offset > file->bytes || header.sh_size > file->bytes - header.sh_offset)
        return NULL;
    const Elf_Data *data = elf_rawdata(section, NULL);
    return data != NULL && data->d_buf != NULL ? data : NULL;
}

/* A string of a table, which has to end in it. */
static const char *string_at(const Elf_Data *table, uint64_t offset)
{
    if (table == NULL || offset >= table->d_size)
        return NULL;
    const char *string = (const char *)table->d_buf + offset;
    return memchr(string, '\0', table->d_size - offset) != NULL ? string : NULL;
}

static const Elf_Data *linked_table(const struct file *file, const GElf_Shdr *header)
{
    Elf_Scn *section = elf_getscn(file->elf, header->sh_link);
    return section != NULL ? part(file, section) : NULL;
}

static void add_run_paths(struct lh_program *program, const char *list)
{
    const uint32_t most = sizeof(program->run_paths) / sizeof(program->run_paths[0]);
    while (*list != '\0' && program->run_path_count < most) {
        size_t length = strcspn(list, ":");
        char *path = length < NAME_BYTES ? strndup(list, length) : NULL;
        if (path != NULL)
            program->run_paths[program->run_path_count++] = path;
        list += length + (list[length] == ':');
    }
}

static void read_dynamic(const struct file *file, Elf_Scn *section, const GElf_Shdr *header)
{
    const Elf_Data *data = part(file, section);
    const Elf_Data *table = linked_table(file, header);
    for (size_t i = 0; data != NULL && (i + 1) * sizeof(Elf64_Dyn) <= data->d_size; i++) {
        Elf64_Dyn entry;
        memcpy(&entry, (const char *)data->d_buf + i * sizeof(entry), sizeof(entry));
        const char *name = string_at(table, entry.d_un.d_val);
        if (entry.d_tag == DT_NULL)
            return;
        if (name != NULL && entry.d_tag == DT_NEEDED && strlen(name) < NAME_BYTES)
            lh_program_add_library(file->program, name);
        else if (name != NULL && (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH))
            add_run_paths(file->program, name);
    }
}

static struct variable variable_of(const Elf64_Sym *symbol)
{
    return (struct variable){
        .address = symbol->st_value,
        .section = symbol->st_shndx < SHN_LORESERVE ? symbol->st_shndx : SHN_UNDEF,
    };
}

static void take_symbol(struct file *file, const Elf64_Sym *symbol, const char *name)
{
    struct lh_program *program = file->program;
    bool defined = symbol->st_shndx != SHN_UNDEF;
    if (name[0] == 'P' && defined && strcmp(name, "Py_IsInitialized") == 0) {
        program->defines_python = true;
    } else if (name[0] == 'P' && defined && strcmp(name, "Py_Version") == 0) {
        file->python_version = variable_of(symbol);
    } else if (name[0] == '_' && strcmp(name, "_ZN2v88internal7Version6major_E") == 0) {
        file->v8_major = variable_of(symbol);
    } else if (name[0] == '_' && strcmp(name, "_ZN2v88internal7Version6minor_E") == 0) {
        file->v8_minor = variable_of(symbol);
    } else if (name[0] == '_' && strcmp(name, "__tsan_init") == 0) {
        program->has_tsan = true;
    } else if (name[0] == '_' && strcmp(name, "__asan_init") == 0) {
        program->has_asan = true;
    }
}

static void read_symbols(struct file *file, Elf_Scn *section, const GElf_Shdr *header)
{
    const Elf_Data *data = part(file, section);
    const Elf_Data *table = data != NULL ? linked_table(file, header) : NULL;
    if (table == NULL)
        return;
    for (size_t at = 0; at + sizeof(Elf64_Sym) <= data->d_size; at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, (const char *)data->d_buf + at, sizeof(symbol));
        if (symbol.st_name >= table->d_size)
            continue;
        const char *name = (const char *)table->d_buf + symbol.st_name;
        if ((name[0] == 'P' || name[0] == '_') && string_at(table, symbol.st_name) != NULL)
            take_symbol(file, &symbol, name);
    }
}

static void take_call(void *context, int64_t number)
{
    struct lh_program *program = context;
    if (lh_is_epoll_wait(number))
        program->inline_waits |= LH_INLINE_EPOLL;
    else if (number == SYS_io_uring_enter)
        program->inline_waits |= LH_INLINE_URING;
}

static void read_code(const struct file *file, Elf_Scn *section)
{
    const Elf_Data *data = part(file, section);
    if (data != NULL)
        lh_inline_calls(data->d_buf, data->d_size, take_call, file->program);
}

/* One note, whose owner is "GNU". */
static void read_build_id(const struct file *file, Elf_Scn *section)
{
    const Elf_Data *data = part(file, section);
    char *to = file->program->build_id;
    Elf64_Nhdr note;
    const size_t begin = sizeof(note) + sizeof("GNU");
    if (data == NULL || data->d_size < begin)
        return;
    memcpy(&note, data->d_buf, sizeof(note));
    if (note.n_descsz > LH_BUILD_ID_BYTES || note.n_descsz > data->d_size - begin)
        return;
    const uint8_t *bytes = (const uint8_t *)data->d_buf + begin;
    for (uint32_t i = 0; i < note.n_descsz; i++) {
        *to++ = LH_HEX_DIGITS[bytes[i] >> 4];
        *to++ = LH_HEX_DIGITS[bytes[i] & 15];
    }
    *to = '\0';
}

static void read_by_name(struct lh_program *program, const char *name)
{
    if (strcmp(name, ".symtab") == 0 || strcmp(name, ".gnu_debugdata") == 0)
        program->has_symbols = true;
    else if (strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0)
        program->has_lines = true;
    else if (strcmp(name, ".eh_frame_hdr") == 0)
        program->has_unwind_table = true;
}

static void read_section(struct file *file, Elf_Scn *section)
{
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == NULL)
        return;
    const char *name = elf_strptr(file->elf, file->names, header.sh_name);
    read_by_name(file->program, name != NULL ? name : "");
    if (header.sh_type == SHT_DYNAMIC)
        read_dynamic(file, section, &header);
    else if (name != NULL && strcmp(name, ".note.gnu.build-id") == 0)
        read_build_id(file, section);
    else if (header.sh_type == SHT_DYNSYM)
        read_symbols(file, section, &header);
    else if ((header.sh_flags & SHF_EXECINSTR) != 0)
        read_code(file, section);
}

/* 0: it is not there, or not in the file. */
static uint32_t value_of(const struct file *file, const struct variable *variable)
{
    GElf_Shdr header;
    uint32_t value;
    Elf_Scn *section = variable->section != 0 ? elf_getscn(file->elf, variable->section) : NULL;
    if (section == NULL || gelf_getshdr(section, &header) == NULL)
        return 0;
    const Elf_Data *data = part(file, section);
    uint64_t offset = variable->address - header.sh_addr;
    if (data == NULL || offset > data->d_size || data->d_size - offset < sizeof(value))
        return 0;
    memcpy(&value, (const char *)data->d_buf + offset, sizeof(value));
    return le32toh(value);
}

static void read_versions(const struct file *file)
{
    uint32_t major = value_of(file, &file->v8_major);
    uint32_t minor = value_of(file, &file->v8_minor);
    file->program->python_version = value_of(file, &file->python_version);
    if (major < 100 && minor < 100)
        file->program->v8_version = major * 100 + minor;
}

void lh_elf_facts(struct lh_program *program, int fd)
{
    struct stat status;
    GElf_Ehdr header;
    struct file file = {.program = program};
    if (fstat(fd, &status) != 0 || elf_version(EV_CURRENT) == EV_NONE)
        return;
    file.bytes = (uint64_t)status.st_size;
    file.elf = elf_begin(fd, ELF_C_READ, NULL);
    if (file.elf == NULL || elf_kind(file.elf) != ELF_K_ELF ||
        gelf_getehdr(file.elf, &header) == NULL) {
        elf_end(file.elf);
        return;
    }
    program->is_elf = true;
    if (header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB &&
        elf_getshdrstrndx(file.elf, &file.names) == 0) {
        Elf_Scn *section = NULL;
        for (uint32_t i = 0; i < SECTIONS_MAX && (section = elf_nextscn(file.elf, section)) != NULL;
             i++)
            read_section(&file, section);
        read_versions(&file);
    }
    elf_end(file.elf);
}

struct lh_versions lh_elf_versions(int fd)
{
    struct lh_program library = {.readable = true};
    lh_elf_facts(&library, fd);
    lh_program_free(&library);
    return (struct lh_versions){library.python_version, library.v8_version};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which ELF file an address belongs to. See module.h; formats: proc_pid_maps(5), elf(5). */
#include "preload/reader/module.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"

#define PAGE_MASK      (~4095ULL)
#define SEGMENTS_MAX   32
#define NOTE_BYTES     512
#define BUILD_ID_BYTES 20 /* SHA-1, what linkers write */

/* One line of maps, in part. */
struct mapping {
    uint64_t start, end, offset;
    const char *path; /* "" for memory without a file */
};

static const char *parse_hex(const char *text, uint64_t *value)
{
    *value = lh_text_parse_hex(text);
    return text + strspn(text, LH_HEX_DIGITS);
}

static const char *skip_field(const char *text)
{
    while (*text != ' ' && *text != '\0')
        text++;
    while (*text == ' ')
        text++;
    return text;
}

/* "start-end perms offset dev inode path" */
static void parse_mapping(const char *line, struct mapping *mapping)
{
    line = parse_hex(line, &mapping->start);
    line = parse_hex(*line == '-' ? line + 1 : line, &mapping->end);
    line = skip_field(line + (*line == ' '));
    line = parse_hex(line, &mapping->offset);
    mapping->path = skip_field(skip_field(skip_field(line)));
}

/* Lines of a file, read in pieces; only the watchdog reads, so one buffer does. */
struct lines {
    long fd;
    size_t length, at;
    char buf[4096];
};

static bool next_line(struct lines *lines, char *line, size_t size)
{
    size_t length = 0;
    for (;;) {
        if (lines->at == lines->length) {
            long got = lh_syscall3(SYS_read, lines->fd, (long)lines->buf, sizeof(lines->buf));
            if (got <= 0)
                return false;
            lines->length = (size_t)got;
            lines->at = 0;
        }
        char c = lines->buf[lines->at++];
        if (c == '\n')
            break;
        if (length + 1 < size)
            line[length++] = c;
    }
    line[length] = '\0';
    return true;
}

/* The file at `address`, and where its first byte is mapped. */
static bool find_mapping(uint64_t address, char *path, size_t size, uint64_t *first)
{
    static struct lines lines;
    static char line[1200];
    struct mapping mapping;
    char file[1024] = "";
    lines.length = lines.at = 0;
    lines.fd = lh_syscall4(SYS_openat, -1, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    if (lines.fd < 0)
        return false;
    bool found = false;
    while (!found && next_line(&lines, line, sizeof(line))) {
        parse_mapping(line, &mapping);
        if (mapping.offset == 0 || strcmp(mapping.path, file) != 0)
            *first = mapping.start;
        if (!lh_text_copy(file, sizeof(file), mapping.path))
            file[0] = '\0';
        found = address >= mapping.start && address < mapping.end && file[0] == '/';
    }
    lh_syscall1(SYS_close, lines.fd);
    return found && lh_text_copy(path, size, file);
}

static void put_hex(char *to, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *to++ = LH_HEX_DIGITS[bytes[i] >> 4];
        *to++ = LH_HEX_DIGITS[bytes[i] & 15];
    }
    *to = '\0';
}

static void read_build_id(uint64_t address, uint64_t size, char *build_id)
{
    uint8_t notes[NOTE_BYTES];
    if (size > sizeof(notes))
        size = sizeof(notes);
    if (lh_memory_read_self(notes, address, size) != 0)
        return;
    for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= size;) {
        const Elf64_Nhdr *note = (const Elf64_Nhdr *)(notes + at);
        size_t name = at + sizeof(*note);
        size_t content = name + (((size_t)note->n_namesz + 3) & ~(size_t)3);
        if (content > size || note->n_descsz > size - content)
            return;
        if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
            memcmp(notes + name, "GNU", 4) == 0 && note->n_descsz <= BUILD_ID_BYTES)
            put_hex(build_id, notes + content, note->n_descsz);
        at = content + (((size_t)note->n_descsz + 3) & ~(size_t)3);
    }
}

/* The program headers in memory give the bias and the notes. */
static void read_headers(uint64_t first, struct lh_module *module)
{
    Elf64_Ehdr header;
    Elf64_Phdr segments[SEGMENTS_MAX];
    if (lh_memory_read_self(&header, first, sizeof(header)) != 0 ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phnum > SEGMENTS_MAX ||
        lh_memory_read_self(segments, first + header.e_phoff,
                            header.e_phnum * sizeof(segments[0])) != 0)
        return;
    for (size_t i = 0; i < header.e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
            module->bias = first - (segments[i].p_vaddr & PAGE_MASK);
    for (size_t i = 0; i < header.e_phnum; i++)
        if (segments[i].p_type == PT_NOTE)
            read_build_id(module->bias + segments[i].p_vaddr, segments[i].p_memsz,
                          module->build_id);
}

void lh_module_find(uint64_t address, struct lh_module *module)
{
    uint64_t first = 0;
    memset(module, 0, sizeof(*module));
    if (find_mapping(address, module->path, sizeof(module->path), &first))
        read_headers(first, module);
}

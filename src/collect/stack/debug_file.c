/* SPDX-License-Identifier: Apache-2.0 */
/* Finds separate debug files. Runs in the collector; opens files only below the directory of the
 * program and below /usr/lib/debug. */
#include "collect/stack/debug_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The checksum of .gnu_debuglink: CRC-32 of IEEE 802.3, bit by bit through a small table. */
static uint32_t crc32_add(uint32_t crc, const uint8_t *bytes, size_t count)
{
    static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = nibble[crc & 15] ^ (crc >> 4);
        crc = nibble[crc & 15] ^ (crc >> 4);
    }
    return crc;
}

static bool has_crc(int fd, uint32_t expected)
{
    uint8_t buffer[65536];
    uint32_t crc = 0xffffffff;
    ssize_t count;
    while ((count = read(fd, buffer, sizeof(buffer))) > 0)
        crc = crc32_add(crc, buffer, (size_t)count);
    return count == 0 && ~crc == expected && lseek(fd, 0, SEEK_SET) == 0;
}

/* A file, no link, of root's or of whoever has the program's own: a checksum is easily made to fit.
 * Looked at before it is opened, for opening a device may do something. */
static bool is_believed(const struct stat *file, const struct stat *program)
{
    return S_ISREG(file->st_mode) && (file->st_uid == 0 || file->st_uid == program->st_uid);
}

static int open_with_crc(const char *path, const struct stat *program, uint32_t crc)
{
    struct stat status;
    if (lstat(path, &status) != 0 || !is_believed(&status, program))
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (fd >= 0 && fstat(fd, &status) == 0 && is_believed(&status, program) && has_crc(fd, crc))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int find_by_debug_link(const char *file_name, const char *link, uint32_t crc, char **found)
{
    struct stat program;
    const char *slash = strrchr(file_name, '/');
    if (slash == NULL || strchr(link, '/') != NULL || stat(file_name, &program) != 0)
        return -1;
    int directory = (int)(slash - file_name);
    static const char *const places[][2] = {{"", "/"}, {"", "/.debug/"}, {"/usr/lib/debug", "/"}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof(path), "%s%.*s%s%s", places[i][0], directory, file_name,
                              places[i][1], link);
        if (length < 0 || (size_t)length >= sizeof(path) || strcmp(path, file_name) == 0)
            continue;
        int fd = open_with_crc(path, &program, crc);
        if (fd < 0)
            continue;
        *found = strdup(path);
        return fd;
    }
    return -1;
}

/* What a section of the older kind, .zdebug_*, says: "ZLIB" and its size, the first byte first. */
static uint64_t zdebug_bytes(Elf_Scn *section, const GElf_Shdr *header)
{
    const size_t digits = sizeof(uint64_t);
    uint64_t bytes = 0;
    const Elf_Data *data = header->sh_type == SHT_PROGBITS && (header->sh_flags & SHF_ALLOC) == 0
                               ? elf_rawdata(section, NULL)
                               : NULL;
    if (data == NULL || data->d_buf == NULL || data->d_size < 4 + digits ||
        memcmp(data->d_buf, "ZLIB", 4) != 0)
        return 0;
    for (size_t i = 0; i < digits; i++)
        bytes = bytes << 8 | ((const uint8_t *)data->d_buf)[4 + i];
    return bytes;
}

static uint64_t unpacked_bytes(Elf_Scn *section)
{
    GElf_Shdr header;
    GElf_Chdr compression;
    if (gelf_getshdr(section, &header) == NULL)
        return 0;
    if ((header.sh_flags & SHF_COMPRESSED) == 0)
        return zdebug_bytes(section, &header);
    return gelf_getchdr(section, &compression) != NULL ? compression.ch_size : 0;
}

bool lh_debug_file_fits(int fd)
{
    uint64_t left = LH_DEBUG_BYTES_MAX;
    Elf_Scn *section = NULL;
    bool fits = true;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    while (fits && elf != NULL && (section = elf_nextscn(elf, section)) != NULL) {
        uint64_t bytes = unpacked_bytes(section);
        fits = bytes <= left;
        left -= fits ? bytes : 0;
    }
    elf_end(elf);
    return fits;
}

/* `*name` is what malloc(3) gave. */
static int if_it_fits(int fd, char **name)
{
    if (fd < 0 || lh_debug_file_fits(fd))
        return fd;
    close(fd);
    free(*name);
    *name = NULL;
    return -1;
}

int lh_debug_file_find(Dwfl_Module *module, void **user_data, const char *name, Dwarf_Addr base,
                       const char *file_name, const char *debug_link, GElf_Word debug_link_crc,
                       char **found_name)
{
    int fd = dwfl_build_id_find_debuginfo(module, user_data, name, base, file_name, debug_link,
                                          debug_link_crc, found_name);
    if (fd < 0 && file_name != NULL && debug_link != NULL)
        fd = find_by_debug_link(file_name, debug_link, debug_link_crc, found_name);
    return if_it_fits(fd, found_name);
}

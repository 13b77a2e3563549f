/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files and the cache of them.
 *
 * Runs in the collector, on any of its threads. The files belong to the watched programs, so they
 * may be corrupt: libelf checks the headers, and every read goes through bounds checks here. */
#include "collect/stack/elf_file.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <gelf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/stack/symbols.h"
#include "common/processor.h"

#define SEGMENTS_MAX 32u
#define BUILD_ID_MAX 64u
#define IDLE_MAX     32u /* files without a user that stay open for the next process */

struct segment {
    uint64_t vaddr;
    uint64_t offset;
    uint64_t size; /* bytes that come from the file */
};

struct lh_elf {
    struct lh_elf *next; /* the cache: last used first */
    uint32_t users;

    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec modified;

    int fd; /* for libdw, which opens the file once more */
    char *path;
    Elf *elf;
    const uint8_t *image;
    size_t size;
    struct segment segments[SEGMENTS_MAX];
    uint32_t segment_count;
    uint64_t eh_frame_hdr;
    uint64_t eh_frame_hdr_size; /* 0: there is none */
    char build_id[2 * BUILD_ID_MAX + 1];

    pthread_mutex_t symbols_lock;
    struct lh_symbols *symbols; /* made at the first question */
    bool symbols_tried;
    _Atomic uint64_t asked; /* when, as `questions` counts; 0: there are none */
};

static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;
static struct lh_elf *cache;
static _Atomic uint64_t questions;

static void free_elf(struct lh_elf *elf)
{
    lh_symbols_release(elf->symbols);
    if (elf->elf != NULL)
        elf_end(elf->elf);
    if (elf->fd >= 0)
        close(elf->fd);
    pthread_mutex_destroy(&elf->symbols_lock);
    free(elf->path);
    free(elf);
}

static void add_program_header(struct lh_elf *elf, const GElf_Phdr *header)
{
    if (header->p_type == PT_GNU_EH_FRAME) {
        elf->eh_frame_hdr = header->p_vaddr;
        elf->eh_frame_hdr_size = header->p_filesz;
    }
    if (header->p_type != PT_LOAD || elf->segment_count == SEGMENTS_MAX)
        return;
    if (header->p_offset >= elf->size || header->p_filesz > elf->size - header->p_offset)
        return;
    elf->segments[elf->segment_count++] =
        (struct segment){header->p_vaddr, header->p_offset, header->p_filesz};
}

static void read_build_id(struct lh_elf *elf)
{
    const void *bits = NULL;
    ssize_t length = dwelf_elf_gnu_build_id(elf->elf, &bits);
    if (length <= 0 || (size_t)length > BUILD_ID_MAX)
        return;
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = bits;
    for (ssize_t i = 0; i < length; i++) {
        elf->build_id[2 * i] = digits[bytes[i] >> 4];
        elf->build_id[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static bool read_headers(struct lh_elf *elf)
{
    elf_version(EV_CURRENT);
    elf->elf = elf_begin(elf->fd, ELF_C_READ_MMAP, NULL);
    if (elf->elf == NULL || elf_kind(elf->elf) != ELF_K_ELF)
        return false;

    GElf_Ehdr header;
    if (gelf_getehdr(elf->elf, &header) == NULL || header.e_machine != LH_ELF_MACHINE ||
        header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        (header.e_type != ET_EXEC && header.e_type != ET_DYN))
        return false;

    elf->image = (const uint8_t *)elf_rawfile(elf->elf, &elf->size);
    size_t count = 0;
    if (elf->image == NULL || elf_getphdrnum(elf->elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr program_header;
        if (gelf_getphdr(elf->elf, (int)i, &program_header) != NULL)
            add_program_header(elf, &program_header);
    }
    read_build_id(elf);
    return elf->segment_count > 0;
}

static struct lh_elf *new_elf(int fd, const char *path, const struct stat *status)
{
    struct lh_elf *elf = calloc(1, sizeof(*elf));
    if (elf == NULL)
        return NULL;
    elf->device = status->st_dev;
    elf->inode = status->st_ino;
    elf->bytes = status->st_size;
    elf->modified = status->st_mtim;
    pthread_mutex_init(&elf->symbols_lock, NULL);
    elf->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    elf->path = strdup(path);
    if (elf->fd < 0 || elf->path == NULL || !read_headers(elf)) {
        free_elf(elf);
        return NULL;
    }
    return elf;
}

static bool is_file(const struct lh_elf *elf, const struct stat *status)
{
    return elf->inode == status->st_ino && elf->device == status->st_dev &&
           elf->bytes == status->st_size && elf->modified.tv_sec == status->st_mtim.tv_sec &&
           elf->modified.tv_nsec == status->st_mtim.tv_nsec;
}

/* Takes the file out of the cache's list; NULL if it is not there. */
static struct lh_elf *unlink_file(const struct stat *status)
{
    for (struct lh_elf **link = &cache; *link != NULL; link = &(*link)->next) {
        struct lh_elf *elf = *link;
        if (!is_file(elf, status))
            continue;
        *link = elf->next;
        return elf;
    }
    return NULL;
}

/* Frees what has no user, but for the IDLE_MAX used last. */
static void trim_cache(void)
{
    uint32_t idle = 0;
    for (struct lh_elf **link = &cache; *link != NULL;) {
        struct lh_elf *elf = *link;
        if (elf->users > 0 || ++idle <= IDLE_MAX) {
            link = &elf->next;
            continue;
        }
        *link = elf->next;
        free_elf(elf);
    }
}

struct lh_elf *lh_elf_open(int fd, const char *path)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;

    pthread_mutex_lock(&cache_lock);
    struct lh_elf *elf = unlink_file(&status);
    if (elf == NULL)
        elf = new_elf(fd, path, &status);
    if (elf != NULL) {
        elf->users++;
        elf->next = cache;
        cache = elf;
    }
    pthread_mutex_unlock(&cache_lock);
    return elf;
}

void lh_elf_release(struct lh_elf *elf)
{
    if (elf == NULL)
        return;
    pthread_mutex_lock(&cache_lock);
    elf->users--;
    trim_cache();
    pthread_mutex_unlock(&cache_lock);
}

bool lh_elf_vaddr(const struct lh_elf *elf, uint64_t file_offset, uint64_t *vaddr)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct segment *segment = &elf->segments[i];
        if (file_offset < segment->offset || file_offset - segment->offset >= segment->size)
            continue;
        *vaddr = file_offset - segment->offset + segment->vaddr;
        return true;
    }
    return false;
}

bool lh_elf_read_offset(const struct lh_elf *elf, uint64_t file_offset, void *to, size_t size)
{
    if (file_offset > elf->size || size > elf->size - file_offset)
        return false;
    memcpy(to, elf->image + file_offset, size);
    return true;
}

bool lh_elf_read(const struct lh_elf *elf, uint64_t vaddr, void *to, size_t size)
{
    for (uint32_t i = 0; i < elf->segment_count; i++) {
        const struct segment *segment = &elf->segments[i];
        if (vaddr < segment->vaddr || vaddr - segment->vaddr >= segment->size)
            continue;
        if (size > segment->size - (vaddr - segment->vaddr))
            return false;
        return lh_elf_read_offset(elf, segment->offset + (vaddr - segment->vaddr), to, size);
    }
    return false;
}

bool lh_elf_eh_frame_hdr(const struct lh_elf *elf, uint64_t *vaddr, uint64_t *size)
{
    *vaddr = elf->eh_frame_hdr;
    *size = elf->eh_frame_hdr_size;
    return elf->eh_frame_hdr_size != 0;
}

const char *lh_elf_build_id(const struct lh_elf *elf)
{
    return elf->build_id[0] == '\0' ? NULL : elf->build_id;
}

void lh_kept_let_go(struct lh_kept *kept)
{
    while (kept->count > 0)
        lh_symbols_release(kept->symbols[--kept->count]);
}

/* False: there is no room. */
static bool keep(struct lh_kept *kept, struct lh_symbols *symbols)
{
    if (kept == NULL)
        return true;
    for (uint32_t i = kept->count; i > 0; i--)
        if (kept->symbols[i - 1] == symbols)
            return true;
    if (kept->count == LH_KEPT_MAX)
        return false;
    lh_symbols_hold(symbols);
    kept->symbols[kept->count++] = symbols;
    return true;
}

uint32_t lh_elf_symbols(struct lh_elf *elf, uint64_t vaddr, struct lh_symbol found[LH_SYMBOLS_MAX],
                        struct lh_kept *kept)
{
    uint32_t count = 1;
    found[0] = (struct lh_symbol){0};
    pthread_mutex_lock(&elf->symbols_lock);
    if (!elf->symbols_tried) {
        elf->symbols_tried = true;
        elf->symbols = lh_symbols_new(elf->fd, elf->path);
    }
    if (elf->symbols != NULL && keep(kept, elf->symbols)) {
        atomic_store(&elf->asked, atomic_fetch_add(&questions, 1) + 1);
        count = lh_symbols_find(elf->symbols, vaddr, found);
    }
    pthread_mutex_unlock(&elf->symbols_lock);
    return count;
}

/* Of those whose symbols nobody asks for at this moment; its lock is held then. NULL: none. */
static struct lh_elf *lock_oldest(void)
{
    uint64_t last = atomic_load(&questions);
    uint64_t before = 0;
    for (;;) {
        struct lh_elf *oldest = NULL;
        uint64_t first = last;
        for (struct lh_elf *elf = cache; elf != NULL; elf = elf->next) {
            uint64_t asked = atomic_load(&elf->asked);
            if (asked <= before || asked >= first)
                continue;
            first = asked;
            oldest = elf;
        }
        if (oldest == NULL || pthread_mutex_trylock(&oldest->symbols_lock) == 0)
            return oldest;
        before = first;
    }
}

bool lh_elf_forget_oldest(void)
{
    struct lh_symbols *symbols = NULL;
    pthread_mutex_lock(&cache_lock);
    struct lh_elf *oldest = lock_oldest();
    if (oldest != NULL) {
        symbols = oldest->symbols;
        oldest->symbols = NULL;
        oldest->symbols_tried = false;
        atomic_store(&oldest->asked, 0);
        pthread_mutex_unlock(&oldest->symbols_lock);
    }
    pthread_mutex_unlock(&cache_lock);
    lh_symbols_release(symbols);
    return oldest != NULL;
}

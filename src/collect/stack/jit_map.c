/* SPDX-License-Identifier: Apache-2.0 */
/* Names of code that was made at run time. See jit_map.h.
 *
 * Runs in the collector. The file is the program's, grows while it is read, and may be rubbish:
 * only whole lines count, and no more than so many. */
#include "collect/stack/jit_map.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "collect/stack/demangle.h"
#include "common/linux_compat.h"
#include "common/text.h"
#include "common/units.h"

#define FLAGS        (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)
#define ENTRIES_MAX  (1u << 20)
#define NAME_BYTES   1024u
#define CHUNK_BYTES  (64u << 10)
#define OVERLAPS_MAX 64u /* entries that begin between an address and the code it lies in */

struct entry {
    uint64_t start;
    uint32_t size;
    uint32_t sequence; /* of two at one place the later one holds */
    uint64_t name_at;  /* in the file */
};

struct lh_jit_map {
    pid_t pid;
    uid_t owner;
    bool has_owner;
    int fd;             /* -1: not found yet */
    int64_t started_ns; /* CLOCK_REALTIME; 0: not known */
    bool old;           /* there is one, and it is older than the process */
    uint64_t read_to;
    struct entry *entries; /* by start */
    uint32_t count;
    uint32_t room;
    struct lh_demangler *names;
};

/* When the process began, by its age: proc_pid_stat(5) has it in ticks since the machine started.
 * CLOCK_REALTIME, in ns; 0: not known. */
static int64_t started_ns(pid_t pid)
{
    const int64_t second_ns = LH_NS_PER_S;
    char path[64];
    char line[1024];
    unsigned long long ticks;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *stat = fopen(path, "re");
    if (stat == NULL)
        return 0;
    const char *after_name = fgets(line, sizeof(line), stat) != NULL ? strrchr(line, ')') : NULL;
    fclose(stat);
    if (after_name == NULL ||
        sscanf(after_name,
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &ticks) != 1)
        return 0;
    struct timespec now;
    struct timespec up;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &up);
    int64_t booted_ns = (now.tv_sec - up.tv_sec) * second_ns + now.tv_nsec - up.tv_nsec;
    return booted_ns + (int64_t)ticks * (second_ns / sysconf(_SC_CLK_TCK));
}

/* By more than what the clocks of files and processes may differ; or nobody knows. */
static bool is_older(const struct lh_jit_map *map, const struct stat *file)
{
    const int64_t second_ns = LH_NS_PER_S;
    int64_t written_ns = file->st_mtim.tv_sec * second_ns + file->st_mtim.tv_nsec;
    return map->started_ns == 0 || written_ns < map->started_ns - second_ns;
}

struct lh_jit_map *lh_jit_map_new(pid_t pid, int maps_fd)
{
    struct stat status;
    struct lh_jit_map *map = calloc(1, sizeof(*map));
    if (map == NULL)
        return NULL;
    map->fd = -1;
    map->pid = pid;
    map->has_owner = maps_fd >= 0 && fstat(maps_fd, &status) == 0;
    map->owner = map->has_owner ? status.st_uid : 0;
    map->started_ns = started_ns(pid);
    map->names = lh_demangler_new();
    if (map->names != NULL)
        return map;
    free(map);
    return NULL;
}

void lh_jit_map_free(struct lh_jit_map *map)
{
    if (map == NULL)
        return;
    if (map->fd >= 0)
        close(map->fd);
    lh_demangler_free(map->names);
    free(map->entries);
    free(map);
}

static void forget_names(struct lh_jit_map *map)
{
    struct lh_demangler *fresh = lh_demangler_new();
    if (fresh == NULL)
        return;
    lh_demangler_free(map->names);
    map->names = fresh;
}

void lh_jit_map_let_go(struct lh_jit_map *map)
{
    if (lh_demangler_bytes(map->names) > LH_JIT_NAME_BYTES)
        forget_names(map);
}

void lh_jit_map_give_up(struct lh_jit_map *map)
{
    forget_names(map);
    free(map->entries);
    map->entries = NULL;
    map->count = map->room = 0;
    map->read_to = 0;
}

/* The number that the process has for itself: the last one of NSpid. pid_namespaces(7). */
static pid_t pid_inside(pid_t pid)
{
    char path[64];
    char line[512];
    pid_t inside = pid;
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *status = fopen(path, "re");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
        const char *last = strrchr(line, '\t');
        if (lh_starts_with(line, "NSpid:") && last != NULL)
            inside = (pid_t)strtol(last + 1, NULL, 10);
    }
    if (status != NULL)
        fclose(status);
    return inside;
}

/* A name that others may make in /tmp: no link of either kind, and who wrote it could be the
 * process, or root. */
static bool is_believed(const struct lh_jit_map *map, const struct stat *file)
{
    return S_ISREG(file->st_mode) && file->st_nlink == 1 &&
           (file->st_uid == map->owner || file->st_uid == 0);
}

/* Takes `fd` over, also where it is negative. */
static int keep_if_believed(struct lh_jit_map *map, int fd)
{
    struct stat status;
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && is_believed(map, &status)) {
        map->old = is_older(map, &status);
        if (!map->old)
            return fd;
    }
    close(fd);
    return -1;
}

/* Below the root of the process, whose links lead nowhere else: openat2(2). */
static int open_below(const char *root, const char *name)
{
    const struct open_how how = {.flags = FLAGS, .resolve = RESOLVE_IN_ROOT};
    int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd =
        directory >= 0 ? (int)syscall(SYS_openat2, directory, name, &how, sizeof(how)) : directory;
    if (directory >= 0)
        close(directory);
    return fd;
}

bool lh_jit_map_is_old(const struct lh_jit_map *map)
{
    return map->old;
}

static bool open_map(struct lh_jit_map *map)
{
    char path[64];
    char root[64];
    if (map->fd >= 0 || !map->has_owner)
        return map->fd >= 0;
    pid_t inside = pid_inside(map->pid);
    snprintf(path, sizeof(path), "/tmp/perf-%d.map", inside);
    snprintf(root, sizeof(root), "/proc/%d/root", map->pid);
    map->fd = keep_if_believed(map, open_below(root, path));
    if (map->fd < 0) /* the process has ended */
        map->fd = keep_if_believed(map, open(path, FLAGS));
    return map->fd >= 0;
}

static bool make_room(struct lh_jit_map *map)
{
    if (map->count < map->room)
        return true;
    uint32_t room = map->room == 0 ? 4096 : 2 * map->room;
    if (room > ENTRIES_MAX)
        return false;
    struct entry *entries = realloc(map->entries, room * sizeof(*entries));
    if (entries == NULL)
        return false;
    map->entries = entries;
    map->room = room;
    return true;
}

/* "START SIZE name", both in hexadecimal. */
static void add_line(struct lh_jit_map *map, char *line, uint64_t line_at)
{
    char *end;
    uint64_t start = strtoull(line, &end, 16);
    if (end == line || *end != ' ')
        return;
    char *size_text = end + 1;
    uint64_t size = strtoull(size_text, &end, 16);
    if (end == size_text || *end != ' ' || end[1] == '\0' || size == 0 || size > UINT32_MAX ||
        !make_room(map))
        return;
    map->entries[map->count] = (struct entry){.start = start,
                                              .size = (uint32_t)size,
                                              .sequence = map->count,
                                              .name_at = line_at + (uint64_t)(end + 1 - line)};
    map->count++;
}

static void add_lines(struct lh_jit_map *map, char *chunk, size_t length)
{
    char *line = chunk;
    char *end;
    while ((end = memchr(line, '\n', (size_t)(chunk + length - line))) != NULL) {
        *end = '\0';
        add_line(map, line, map->read_to + (uint64_t)(line - chunk));
        line = end + 1;
    }
    /* The rest is not whole yet; a line that is longer than a chunk never is. */
    map->read_to += line > chunk || length < CHUNK_BYTES ? (uint64_t)(line - chunk) : length;
}

static int compare_entries(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    if (a->start != b->start)
        return a->start < b->start ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

/* Reads what the program has added since the last time. */
static void refresh(struct lh_jit_map *map)
{
    struct stat status;
    if (!open_map(map) || fstat(map->fd, &status) != 0 || (uint64_t)status.st_size <= map->read_to)
        return;
    char *chunk = malloc(CHUNK_BYTES);
    uint32_t before = map->count;
    uint64_t last = UINT64_MAX;
    while (chunk != NULL && last != map->read_to) {
        last = map->read_to;
        ssize_t length = pread(map->fd, chunk, CHUNK_BYTES, (off_t)map->read_to);
        if (length > 0)
            add_lines(map, chunk, (size_t)length);
    }
    free(chunk);
    if (map->count != before)
        qsort(map->entries, map->count, sizeof(*map->entries), compare_entries);
}

/* The first entry that begins behind `address`, by its place. */
static uint32_t first_behind(const struct lh_jit_map *map, uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = map->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (map->entries[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool read_name(struct lh_jit_map *map, const struct entry *entry,
                      struct lh_jit_symbol *found)
{
    char name[NAME_BYTES];
    ssize_t length = pread(map->fd, name, sizeof(name) - 1, (off_t)entry->name_at);
    if (length <= 0)
        return false;
    name[length] = '\0';
    name[strcspn(name, "\n")] = '\0';
    lh_jit_name_parse(name, found);
    found->function = lh_demangler_keep(map->names, found->function);
    if (found->file != NULL)
        found->file = lh_demangler_keep(map->names, found->file);
    return found->function != NULL;
}

bool lh_jit_map_find(struct lh_jit_map *map, uint64_t address, struct lh_jit_symbol *found)
{
    const struct entry *latest = NULL;
    refresh(map);
    uint32_t behind = first_behind(map, address);
    for (uint32_t back = 1; back <= OVERLAPS_MAX && back <= behind; back++) {
        const struct entry *entry = &map->entries[behind - back];
        if (address - entry->start < entry->size &&
            (latest == NULL || entry->sequence > latest->sequence))
            latest = entry;
    }
    return latest != NULL && read_name(map, latest, found);
}

bool lh_jit_map_find_behind(struct lh_jit_map *map, uint64_t address, uint64_t reach,
                            struct lh_jit_symbol *found)
{
    refresh(map);
    uint32_t at = first_behind(map, address);
    if (at == map->count || map->entries[at].start - address > reach)
        return false;
    while (at + 1 < map->count && map->entries[at + 1].start == map->entries[at].start)
        at++;
    return read_name(map, &map->entries[at], found);
}

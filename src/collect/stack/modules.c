/* SPDX-License-Identifier: Apache-2.0 */
/* The map of a watched process. Runs in the collector. The process may be gone, and its file names
 * are whatever its author liked. */
#include "collect/stack/modules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/mix.h"

#define MAPS_BYTES_MAX (64u << 20) /* 65,530 mappings, the kernel's own limit, with long names */
#define NEIGHBOURS_MAX 256u        /* how far apart the mappings of one file may be, in modules */

/* One line of the file. */
struct line {
    struct lh_mapping mapping;
    dev_t device;
    ino_t inode;
    const char *name;
    size_t name_length;
};

static bool parse_line(const char *text, size_t length, struct line *line)
{
    char head[128]; /* sscanf wants a terminated text; what comes before the name is short */
    size_t head_length = length < sizeof(head) - 1 ? length : sizeof(head) - 1;
    memcpy(head, text, head_length);
    head[head_length] = '\0';

    char access[5];
    unsigned device_major;
    unsigned device_minor;
    uint64_t inode;
    int name_at = 0;
    struct lh_mapping *mapping = &line->mapping;
    if (sscanf(head, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n", &mapping->start,
               &mapping->end, access, &mapping->file_offset, &device_major, &device_minor, &inode,
               &name_at) != 7 ||
        mapping->start >= mapping->end || strlen(access) != 4)
        return false;

    while ((size_t)name_at < length && text[name_at] == ' ')
        name_at++;
    mapping->executable = access[2] == 'x';
    line->device = makedev(device_major, device_minor);
    line->inode = inode;
    line->name = text + name_at;
    line->name_length = length - (size_t)name_at;
    return true;
}

/* The kernel writes a line feed in a name as \012, and nothing else specially. */
static char *copy_name(const char *name, size_t length)
{
    static const char line_feed[] = "\\012";
    const size_t escaped = sizeof(line_feed) - 1;
    char *copy = malloc(length + 1);
    if (copy == NULL)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < length; used++) {
        bool is_escape = length - i >= escaped && memcmp(name + i, line_feed, escaped) == 0;
        copy[used] = is_escape ? '\n' : name[i];
        i += is_escape ? escaped : 1;
    }
    copy[used] = '\0';
    return copy;
}

static bool cut_suffix(struct line *line, const char *suffix)
{
    size_t length = strlen(suffix);
    if (line->name_length <= length ||
        memcmp(line->name + line->name_length - length, suffix, length) != 0)
        return false;
    line->name_length -= length;
    return true;
}

static bool same_name(const char *path, const struct line *line)
{
    return path != NULL && strlen(path) == line->name_length &&
           memcmp(path, line->name, line->name_length) == 0;
}

static bool is_module(const struct lh_module *module, const struct line *line)
{
    if (line->inode != 0)
        return module->inode == line->inode && module->device == line->device;
    if (line->name_length == 0)
        return module->path == NULL;
    return module->inode == 0 && same_name(module->path, line);
}

/* The module of a line, added where it is the first of it. UINT32_MAX: no module's. */
static uint32_t find_module(struct lh_modules *modules, struct line *line)
{
    if (!line->mapping.executable && line->inode == 0)
        return UINT32_MAX;
    bool deleted = cut_suffix(line, " (deleted)");
    uint32_t count = modules->module_count;
    for (uint32_t back = 1; back <= count && back <= NEIGHBOURS_MAX; back++)
        if (is_module(&modules->modules[count - back], line))
            return count - back;

    struct lh_module *module = &modules->modules[count];
    module->device = line->device;
    module->inode = line->inode;
    module->deleted = deleted;
    if (line->name_length > 0)
        module->path = copy_name(line->name, line->name_length);
    return modules->module_count++;
}

static void add_line(struct lh_modules *modules, struct line *line)
{
    line->mapping.module = find_module(modules, line);
    if (line->mapping.module == UINT32_MAX)
        return;
    struct lh_module *module = &modules->modules[line->mapping.module];
    if (line->mapping.executable && module->end == 0) {
        module->start = line->mapping.start;
        module->end = line->mapping.end;
    }
    modules->mappings[modules->mapping_count++] = line->mapping;
}

/* Files of which nothing is executable are data: their mappings are forgotten again. */
static void forget_data(struct lh_modules *modules)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < modules->mapping_count; i++)
        if (modules->modules[modules->mappings[i].module].end != 0)
            modules->mappings[kept++] = modules->mappings[i];
    modules->mapping_count = kept;
}

static void free_map(struct lh_modules *modules)
{
    for (uint32_t i = 0; i < modules->module_count; i++) {
        lh_elf_release(modules->modules[i].elf);
        free(modules->modules[i].path);
    }
    free(modules->modules);
    free(modules->mappings);
    modules->modules = NULL;
    modules->mappings = NULL;
    modules->module_count = modules->mapping_count = 0;
}

/* Hands an open file over to the module it belongs to now, if it is still mapped. */
static void keep_elf_file(struct lh_modules *fresh, struct lh_module *old)
{
    for (uint32_t i = 0; i < fresh->module_count; i++) {
        struct lh_module *module = &fresh->modules[i];
        if (module->elf != NULL || module->inode != old->inode || module->device != old->device)
            continue;
        module->elf = old->elf;
        module->elf_tried = true;
        old->elf = NULL;
        return;
    }
}

static void keep_elf_files(struct lh_modules *fresh, struct lh_modules *old)
{
    for (uint32_t i = 0; i < old->module_count; i++)
        if (old->modules[i].elf != NULL)
            keep_elf_file(fresh, &old->modules[i]);
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

int lh_modules_parse(struct lh_modules *modules, const char *text, size_t length)
{
    struct lh_modules fresh = {.pid = modules->pid, .maps_fd = modules->maps_fd};
    size_t lines = count_lines(text, length);
    fresh.mappings = calloc(lines, sizeof(*fresh.mappings));
    fresh.modules = calloc(lines, sizeof(*fresh.modules));
    if (fresh.mappings == NULL || fresh.modules == NULL) {
        free_map(&fresh);
        return -ENOMEM;
    }
    uint64_t last_end = 0;
    for (const char *at = text; at < text + length;) {
        const char *end = memchr(at, '\n', (size_t)(text + length - at));
        size_t line_length = end != NULL ? (size_t)(end - at) : (size_t)(text + length - at);
        struct line line;
        if (parse_line(at, line_length, &line) && line.mapping.start >= last_end) {
            last_end = line.mapping.end;
            add_line(&fresh, &line);
        }
        at += line_length + 1;
    }
    forget_data(&fresh);
    if (fresh.mapping_count == 0) {
        free_map(&fresh);
        return -ESRCH;
    }
    keep_elf_files(&fresh, modules);
    fresh.generation = modules->generation + 1;
    free_map(modules);
    *modules = fresh;
    return 0;
}

/* All of the file, in *text to be freed. */
static ssize_t read_maps(int fd, char **text)
{
    size_t room = 64 << 10;
    size_t used = 0;
    char *buffer = malloc(room);
    while (buffer != NULL) {
        ssize_t count = pread(fd, buffer + used, room - used, (off_t)used);
        if (count <= 0 || used + (size_t)count > MAPS_BYTES_MAX)
            break;
        used += (size_t)count;
        if (used < room)
            continue;
        room *= 2;
        char *larger = realloc(buffer, room);
        if (larger == NULL)
            break;
        buffer = larger;
    }
    *text = buffer;
    return buffer != NULL ? (ssize_t)used : -ENOMEM;
}

static uint64_t sum_of(const char *text, size_t length)
{
    uint64_t sum = lh_mix(0, length);
    uint64_t word = 0;
    for (size_t at = 0; at < length; at += sizeof(word)) {
        size_t left = length - at;
        memcpy(&word, text + at, left < sizeof(word) ? left : sizeof(word));
        sum = lh_mix(sum, word);
    }
    return sum;
}

/* The same text changes nothing: what is known by this map stays known. */
static int take_over(struct lh_modules *modules, const char *text, size_t length)
{
    uint64_t sum = sum_of(text, length);
    if (modules->mapping_count > 0 && modules->text_sum == sum)
        return 0;
    int result = lh_modules_parse(modules, text, length);
    if (result == 0)
        modules->text_sum = sum;
    return result;
}

int lh_modules_refresh(struct lh_modules *modules)
{
    if (modules->maps_fd < 0)
        return -ESRCH;
    char *text;
    ssize_t length = read_maps(modules->maps_fd, &text);
    int result = length >= 0 ? take_over(modules, text, (size_t)length) : (int)length;
    free(text);
    return result;
}

void lh_modules_open(struct lh_modules *modules, pid_t pid, int maps_fd)
{
    *modules = (struct lh_modules){.pid = pid, .maps_fd = maps_fd};
    lh_modules_refresh(modules);
}

void lh_modules_close(struct lh_modules *modules)
{
    free_map(modules);
    if (modules->maps_fd >= 0)
        close(modules->maps_fd);
    modules->maps_fd = -1;
}

const struct lh_mapping *lh_modules_find(const struct lh_modules *modules, uint64_t address)
{
    uint32_t low = 0;
    uint32_t high = modules->mapping_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct lh_mapping *mapping = &modules->mappings[middle];
        if (address < mapping->start)
            high = middle;
        else if (address >= mapping->end)
            low = middle + 1;
        else
            return mapping;
    }
    return NULL;
}

struct lh_elf *lh_modules_elf(struct lh_modules *modules, const struct lh_mapping *mapping)
{
    struct lh_module *module = &modules->modules[mapping->module];
    if (module->elf_tried)
        return module->elf;
    module->elf_tried = true;
    module->elf = lh_module_file_open(module, modules->pid);
    return module->elf;
}

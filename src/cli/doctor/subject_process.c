/* SPDX-License-Identifier: Apache-2.0 */
/* What a running process is: from /proc/PID, proc(5). See subject.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor/proc.h"
#include "cli/doctor/subject.h"
#include "common/text.h"

#define MAPS_LINES_MAX 65536u

/* Strings that each end in a NUL, as a list. NULL: out of memory, or there are none. */
static char **words_of(char *block, size_t size)
{
    uint32_t count = 0;
    char **words = calloc(LH_WORDS_MAX + 1, sizeof(*words));
    for (size_t at = 0; words != NULL && at < size && count < LH_WORDS_MAX;
         at += strlen(block + at) + 1)
        words[count++] = block + at;
    if (count == 0) {
        free(words);
        return NULL;
    }
    return words;
}

static void add_mapped(struct lh_program *facts, char *line)
{
    char *path = strchr(line, '/');
    line[strcspn(line, "\n")] = '\0';
    if (path != NULL)
        lh_program_add_library(facts, path);
    else if (strstr(line, "anon_inode:[io_uring]") != NULL)
        facts->inline_waits |= LH_INLINE_URING;
}

static void read_maps(struct lh_subject *subject)
{
    char *line = NULL;
    size_t size = 0;
    FILE *maps = lh_proc_open(subject->pid, "maps");
    for (uint32_t i = 0; maps != NULL && i < MAPS_LINES_MAX && getline(&line, &size, maps) >= 0;
         i++)
        add_mapped(&subject->facts, line);
    free(line);
    if (maps != NULL)
        (void)fclose(maps);
}

/* Of its library, as far as that is a file here. */
static void find_python(struct lh_program *facts)
{
    const char *library = lh_program_library(facts, "libpython3.*");
    struct lh_program of_library;
    if (facts->defines_python || library == NULL)
        return;
    lh_program_read(&of_library, library);
    facts->python_version = of_library.python_version;
    lh_program_free(&of_library);
    unsigned minor = 0;
    if (facts->python_version == 0 &&
        sscanf(lh_base_name(library), "libpython3.%3u", &minor) == 1 && minor <= UINT8_MAX)
        facts->python_version = 0x03000000 | minor << 16;
}

static void find_v8(struct lh_program *facts)
{
    const char *library = lh_program_library(facts, LH_V8_LIBRARIES);
    struct lh_program of_library;
    if (facts->v8_version != 0 || library == NULL)
        return;
    lh_program_read(&of_library, library);
    facts->v8_version = of_library.v8_version;
    lh_program_free(&of_library);
}

static void read_program(struct lh_subject *subject)
{
    char link[32];
    char *path = subject->program.program;
    snprintf(link, sizeof(link), "/proc/%d/exe", (int)subject->pid);
    lh_command_find(link, &subject->program);
    lh_program_read(&subject->facts, link);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = '\0';
    char *gone = strstr(path, " (deleted)");
    if (gone != NULL && gone[strlen(" (deleted)")] == '\0')
        *gone = '\0';
    unsigned minor = 0;
    if (subject->facts.defines_python && subject->facts.python_version == 0 &&
        sscanf(lh_base_name(path), "python3.%3u", &minor) == 1 && minor <= UINT8_MAX)
        subject->facts.python_version = 0x03000000 | minor << 16;
}

int lh_subject_of_process(struct lh_subject *subject, pid_t pid)
{
    *subject = (struct lh_subject){.pid = pid};
    size_t size = 0;
    char *line = lh_proc_read(pid, "cmdline", &size);
    if (line == NULL)
        return -errno;
    subject->words = words_of(line, size);
    subject->kept[subject->kept_count++] = line;
    subject->kept[subject->kept_count++] = subject->words;
    subject->environment = lh_proc_read(pid, "environ", &subject->environment_bytes);
    read_program(subject);
    read_maps(subject);
    find_python(&subject->facts);
    find_v8(&subject->facts);
    return 0;
}

void lh_subject_free(struct lh_subject *subject)
{
    lh_program_free(&subject->facts);
    free(subject->environment);
    while (subject->kept_count > 0)
        free(subject->kept[--subject->kept_count]);
}

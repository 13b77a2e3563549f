/* SPDX-License-Identifier: Apache-2.0 */
/* Files of /proc and /sys. See proc.h. */
#include "cli/doctor/proc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (1u << 20)

FILE *lh_proc_open(pid_t pid, const char *name)
{
    char path[64];
    if (pid != 0)
        snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    else
        snprintf(path, sizeof(path), "/proc/self/%s", name);
    return fopen(path, "re");
}

char *lh_proc_read(pid_t pid, const char *name, size_t *size)
{
    FILE *file = lh_proc_open(pid, name);
    if (file == NULL)
        return NULL;
    char *text = malloc(FILE_BYTES_MAX + 1);
    size_t length = text != NULL ? fread(text, 1, FILE_BYTES_MAX, file) : 0;
    int error = ferror(file) != 0 ? errno : 0;
    (void)fclose(file);
    if (text == NULL || error != 0) {
        free(text);
        errno = text == NULL ? ENOMEM : error;
        return NULL;
    }
    text[length] = '\0';
    *size = length;
    return text;
}

bool lh_proc_status(pid_t pid, const char *name, uint64_t *value)
{
    char line[256];
    size_t length = strlen(name);
    bool found = false;
    FILE *file = lh_proc_open(pid, "status");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
        found = strncmp(line, name, length) == 0 && line[length] == ':' &&
                sscanf(line + length + 1, "%" SCNu64, value) == 1;
    if (file != NULL)
        (void)fclose(file);
    return found;
}

bool lh_file_number(const char *path, int64_t *value)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    bool found = fscanf(file, "%" SCNd64, value) == 1;
    (void)fclose(file);
    return found;
}

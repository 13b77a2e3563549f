/* SPDX-License-Identifier: Apache-2.0 */
/* A file of the program's, whole. See whole_file.h. Its name is what the program says: only regular
 * files of bounded size are opened. */
#include "collect/stack/whole_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What of a file is there now, with a 0 behind it. Asks for the type before it opens: opening a
 * device may already do something. */
static char *read_open(int fd, size_t *length)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0 ||
        status.st_size > LH_WHOLE_FILE_MAX)
        return NULL;
    char *bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL)
        return NULL;
    ssize_t count = read(fd, bytes, (size_t)status.st_size);
    *length = count > 0 ? (size_t)count : 0;
    bytes[*length] = '\0';
    return bytes;
}

char *lh_whole_file(const char *path, size_t *length)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    char *bytes = read_open(fd, length);
    close(fd);
    return bytes;
}

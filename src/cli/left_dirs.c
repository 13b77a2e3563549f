/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that were left behind. Runs in the command.
 *
 * Others may write where these are. So everything is asked of the directory that is open and locked
 * here, and what is removed in it is removed through that. A pid says nothing: it may be another
 * process's by now. A process that outlives its run asks for the socket, and takes a directory that
 * is gone for an end in good order: it stays for as long as there is one. */
#include "cli/left_dirs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/protocol.h"
#include "common/text.h"

#define LEFT_MAX     16u /* in one go: each has a descriptor open */
#define SECRET_CHARS 32u /* of a socket's name, as locate.c makes it */
#define RANDOM_CHARS 6u  /* of a directory's, mkdtemp(3) */

struct left {
    int fd;
    bool in_use;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* a socket's in it has room there */
};

/* "loophound-4242-a1B2c3". */
static bool is_run_directory(const char *name)
{
    if (!lh_starts_with(name, LH_RUN_DIRECTORY))
        return false;
    const char *pid = name + strlen(LH_RUN_DIRECTORY);
    const char *dash = pid + strspn(pid, "0123456789");
    if (dash == pid || *dash != '-' || strlen(dash + 1) != RANDOM_CHARS)
        return false;
    for (const char *at = dash + 1; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at))
            return false;
    return true;
}

static bool is_socket(int directory, const char *name)
{
    struct stat status;
    return strlen(name) == SECRET_CHARS && strspn(name, "0123456789abcdef") == SECRET_CHARS &&
           fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISSOCK(status.st_mode) && status.st_uid == geteuid();
}

/* Does anybody listen there? Only a refusal says no. */
static bool answers(int directory, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", directory,
                   name);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
                   errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    return !refused;
}

/* Calls `asked` for each socket in it. True: one said yes. */
static bool any_socket(int directory, bool (*asked)(int directory, const char *name))
{
    const struct dirent *entry;
    bool any = false;
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    while (entries != NULL && (entry = readdir(entries)) != NULL)
        any |= is_socket(directory, entry->d_name) && asked(directory, entry->d_name);
    if (entries != NULL)
        closedir(entries);
    else if (copy >= 0)
        close(copy);
    return any;
}

/* Ours, nobody else's to write to, and of no run that lives: then its lock is ours now. -1: no. */
static int take(int parent, const char *name)
{
    struct stat status;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_uid == geteuid() &&
        (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
        !any_socket(fd, answers))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static unsigned find(int parent, const char *own, struct left left[LEFT_MAX])
{
    const struct dirent *entry;
    const char *own_name = lh_base_name(own);
    unsigned count = 0;
    int copy = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    while (entries != NULL && count < LEFT_MAX && (entry = readdir(entries)) != NULL) {
        if (!is_run_directory(entry->d_name) || strcmp(entry->d_name, own_name) == 0)
            continue;
        int length = snprintf(left[count].path, sizeof(left[count].path), "%.*s%s",
                              (int)(own_name - own), own, entry->d_name);
        if ((size_t)length >= sizeof(left[count].path))
            continue;
        left[count].in_use = false;
        left[count].fd = take(parent, entry->d_name);
        count += left[count].fd >= 0;
    }
    if (entries != NULL)
        closedir(entries);
    else if (copy >= 0)
        close(copy);
    return count;
}

/* `variable` is one of a process's environment. */
static void note_use(const char *variable, struct left *left, unsigned count)
{
    static const char name[] = LH_ENV_SOCKET "=";
    if (!lh_starts_with(variable, name))
        return;
    const char *socket = variable + strlen(name);
    for (unsigned i = 0; i < count; i++)
        left[i].in_use |=
            lh_starts_with(socket, left[i].path) && socket[strlen(left[i].path)] == '/';
}

static void look_at_process(const char *pid, struct left *left, unsigned count)
{
    char path[64];
    char *variable = NULL;
    size_t size = 0;
    (void)snprintf(path, sizeof(path), "/proc/%.32s/environ", pid);
    FILE *environment = fopen(path, "re");
    while (environment != NULL && getdelim(&variable, &size, '\0', environment) > 0)
        note_use(variable, left, count);
    free(variable);
    if (environment != NULL)
        (void)fclose(environment);
}

static void look_for_processes(struct left *left, unsigned count)
{
    const struct dirent *entry;
    DIR *processes = opendir("/proc");
    while (processes != NULL && (entry = readdir(processes)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]))
            look_at_process(entry->d_name, left, count);
    if (processes != NULL)
        closedir(processes);
}

static bool remove_socket(int directory, const char *name)
{
    return unlinkat(directory, name, 0) == 0;
}

/* A directory that has anything else in it stays: rmdir(2). */
static void remove_one(int parent, const struct left *left)
{
    struct stat ours;
    struct stat named;
    const char *name = lh_base_name(left->path);
    (void)any_socket(left->fd, remove_socket);
    if (fstat(left->fd, &ours) == 0 && fstatat(parent, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        ours.st_ino == named.st_ino && ours.st_dev == named.st_dev)
        (void)unlinkat(parent, name, AT_REMOVEDIR);
}

void lh_left_dirs_remove(const char *own)
{
    struct left left[LEFT_MAX];
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%.*s", (int)(lh_base_name(own) - own), own);
    int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    unsigned count = parent >= 0 ? find(parent, own, left) : 0;
    if (count > 0)
        look_for_processes(left, count);
    for (unsigned i = 0; i < count; i++) {
        if (!left[i].in_use)
            remove_one(parent, &left[i]);
        close(left[i].fd);
    }
    if (parent >= 0)
        close(parent);
}

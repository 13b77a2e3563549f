/* SPDX-License-Identifier: Apache-2.0 */
/* A program that was linked, in part, with an older libc: which version of a symbol does it get?
 *
 *   versions results     what the older and today's versions answer, where that differs
 *   versions bindings    the files in which symbols are found: bound by the dynamic linker in the
 *                        version asked for, by dlsym(3), and by dlvsym(3)
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern typeof(realpath) old_realpath;
extern typeof(posix_spawn) old_posix_spawn, old_posix_spawnp;
__asm__(".symver old_realpath, realpath@GLIBC_2.2.5");
__asm__(".symver old_posix_spawn, posix_spawn@GLIBC_2.2.5");
__asm__(".symver old_posix_spawnp, posix_spawnp@GLIBC_2.2.5");

/* A script without "#!": older versions hand it to the shell. */
static char script[] = "/tmp/loophound-test-XXXXXX";

static void remove_script(void)
{
    unlink(script);
}

static int make_script(void)
{
    static const char text[] = "exit 5\n";
    int fd = mkostemp(script, O_CLOEXEC);
    if (fd < 0 || atexit(remove_script) != 0)
        return 3;
    bool made = write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, 0700) == 0;
    return close(fd) == 0 && made ? 0 : 3;
}

static void spawn(const char *version, typeof(posix_spawn) *function)
{
    char *const argv[] = {script, NULL};
    pid_t child;
    int status = 0;
    int code = function(&child, script, NULL, NULL, argv, environ);
    if (code == 0)
        waitpid(child, &status, 0);
    printf("%s: %s, %d\n", version, code == 0 ? "0" : strerrorname_np(code), WEXITSTATUS(status));
}

static void resolve(const char *version, typeof(realpath) *function)
{
    errno = 0;
    char *path = function("/..", NULL);
    printf("%s: %s, %s\n", version, path != NULL ? path : "NULL", strerrorname_np(errno));
    free(path);
}

static int results(void)
{
    int error = make_script();
    resolve("realpath@GLIBC_2.2.5", old_realpath);
    resolve("realpath", realpath);
    spawn("posix_spawn@GLIBC_2.2.5", old_posix_spawn);
    spawn("posix_spawn", posix_spawn);
    spawn("posix_spawnp@GLIBC_2.2.5", old_posix_spawnp);
    spawn("posix_spawnp", posix_spawnp);
    return error;
}

static void find(const char *how, const void *function)
{
    Dl_info info = {0};
    dladdr(function, &info);
    const char *slash = info.dli_fname != NULL ? strrchr(info.dli_fname, '/') : NULL;
    printf("%s: %s\n", how, slash != NULL ? slash + 1 : "none");
}

static int bindings(void)
{
    find("epoll_wait", (const void *)epoll_wait);
    find("realpath", (const void *)realpath);
    find("realpath@GLIBC_2.2.5", (const void *)old_realpath);
    find("dlsym epoll_wait", dlsym(RTLD_DEFAULT, "epoll_wait"));
    find("dlsym realpath", dlsym(RTLD_DEFAULT, "realpath"));
    find("dlvsym realpath@GLIBC_2.2.5", dlvsym(RTLD_DEFAULT, "realpath", "GLIBC_2.2.5"));
    find("dlvsym realpath@GLIBC_2.3", dlvsym(RTLD_DEFAULT, "realpath", "GLIBC_2.3"));
    return dlsym(RTLD_DEFAULT, "realpath") == (void *)realpath ? 0 : 3;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "results") == 0)
        return results();
    if (argc == 2 && strcmp(argv[1], "bindings") == 0)
        return bindings();
    return 2;
}

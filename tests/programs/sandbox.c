/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that changes what its process is and may do: sandbox WAY [before]. The way is taken inside
 * the loop, or before there is one; then the loop blocks for 200 ms, twice. */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "processor.h"

static void check(bool right)
{
    if (!right)
        abort();
}

#define NOBODY 65534

static const char *program;

/* ---- ways ---- */

static void become_nobody(void)
{
    gid_t none = NOBODY;
    check(setgroups(1, &none) == 0);
    check(setresgid(NOBODY, NOBODY, NOBODY) == 0);
    check(setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static void unshare_user(void)
{
    check(unshare(CLONE_NEWUSER) == 0); /* EINVAL in a process of several threads */
}

static void unshare_user_raw(void)
{
    check(syscall(SYS_unshare, CLONE_NEWUSER) == 0);
}

static void hide(void)
{
    become_nobody();
    check(prctl(PR_SET_DUMPABLE, 0) == 0);
}

/* The collector's executable is not below it. */
static void go_to_root(void)
{
    check(chroot("/usr/share") == 0 && chdir("/") == 0);
}

static void install(const struct sock_filter *filter, size_t count, bool by_prctl)
{
    struct sock_fprog program_of_filter = {(unsigned short)count, (struct sock_filter *)filter};
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (by_prctl)
        check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program_of_filter) == 0);
    else
        check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program_of_filter) == 0);
}

#define NUMBER BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define IF(number, then)                                                                           \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##number, 0, 1), BPF_STMT(BPF_RET | BPF_K, then)
#define ELSE(then) BPF_STMT(BPF_RET | BPF_K, then)

/* What the rest of this program needs, and nothing that a watcher does. */
static const struct sock_filter barely[] = {
    NUMBER,
    IF(epoll_wait, SECCOMP_RET_ALLOW),
    IF(epoll_create1, SECCOMP_RET_ALLOW),
    IF(clock_nanosleep, SECCOMP_RET_ALLOW),
    IF(write, SECCOMP_RET_ALLOW),
    IF(fstat, SECCOMP_RET_ALLOW),      /* glibc 2.41 */
    IF(newfstatat, SECCOMP_RET_ALLOW), /* before it */
    IF(brk, SECCOMP_RET_ALLOW),
    IF(getrandom, SECCOMP_RET_ALLOW),
    IF(mmap, SECCOMP_RET_ALLOW),
    IF(exit_group, SECCOMP_RET_ALLOW),
    IF(getpid, SECCOMP_RET_ALLOW),
    ELSE(SECCOMP_RET_KILL_PROCESS),
};

static void kill_by_prctl(void)
{
    install(barely, sizeof(barely) / sizeof(barely[0]), true);
}

static void kill_by_seccomp(void)
{
    install(barely, sizeof(barely) / sizeof(barely[0]), false);
}

static const struct sock_filter denied[] = {
    NUMBER,
    IF(process_vm_readv, SECCOMP_RET_ERRNO | EPERM),
    IF(openat, SECCOMP_RET_ERRNO | EPERM),
    IF(timer_create, SECCOMP_RET_ERRNO | EPERM),
    IF(memfd_create, SECCOMP_RET_ERRNO | ENOSYS),
    ELSE(SECCOMP_RET_ALLOW),
};

static void deny(void)
{
    install(denied, sizeof(denied) / sizeof(denied[0]), true);
}

/* As containers do that deny what ptrace(2) would be needed for. */
static const struct sock_filter no_readv[] = {
    NUMBER,
    IF(process_vm_readv, SECCOMP_RET_ERRNO | EPERM),
    ELSE(SECCOMP_RET_ALLOW),
};

static void deny_readv(void)
{
    install(no_readv, sizeof(no_readv) / sizeof(no_readv[0]), true);
}

static const struct sock_filter blind[] = {
    NUMBER,
    IF(process_vm_readv, SECCOMP_RET_ERRNO | ENOSYS),
    IF(pread64, SECCOMP_RET_ERRNO | EPERM),
    ELSE(SECCOMP_RET_ALLOW),
};

static void make_blind(void)
{
    install(blind, sizeof(blind) / sizeof(blind[0]), true);
}

static const struct sock_filter few[] = {
    NUMBER,
    IF(process_vm_readv, SECCOMP_RET_KILL_PROCESS),
    ELSE(SECCOMP_RET_ALLOW),
};

static void start_anew_filtered(void)
{
    install(few, sizeof(few) / sizeof(few[0]), true);
    execl(program, program, "nothing", NULL);
    abort();
}

static void nothing(void)
{
}

static const struct {
    const char *name;
    void (*take)(void);
} ways[] = {
    {"nothing", nothing},
    {"nobody", become_nobody},
    {"unshare", unshare_user},
    {"unshare-raw", unshare_user_raw},
    {"hide", hide},
    {"chroot", go_to_root},
    {"kill", kill_by_prctl},
    {"kill-seccomp", kill_by_seccomp},
    {"deny", deny},
    {"no-readv", deny_readv},
    {"blind", make_blind},
    {"anew", start_anew_filtered},
};

/* ---- the loop ---- */

static void turn(int fd)
{
    struct epoll_event event;
    check(epoll_wait(fd, &event, 1, 1) == 0);
}

static void block(void)
{
    const struct timespec time = {.tv_nsec = 200 * 1000 * 1000};
    check(nanosleep(&time, NULL) == 0);
}

/* Every thread of this process, ours and those it did not make, is the user it became. */
static void print_strangers(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    int strangers = 0;
    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        char path[300];
        struct stat status;
        snprintf(path, sizeof(path), "/proc/self/task/%s", task->d_name);
        if (task->d_name[0] != '.' && stat(path, &status) == 0 && status.st_uid != geteuid())
            strangers++;
    }
    if (tasks != NULL) {
        closedir(tasks);
        printf("%d strangers\n", strangers);
    }
}

int main(int argc, char **argv)
{
    void (*take)(void) = NULL;
    program = argv[0];
    for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(ways[0]); i++)
        if (strcmp(argv[1], ways[i].name) == 0)
            take = ways[i].take;
    check(take != NULL);
    if (argc > 2)
        take();
    int fd = epoll_create1(EPOLL_CLOEXEC);
    turn(fd);
    turn(fd);
    if (argc == 2)
        take();
    for (int i = 0; i < 2; i++) {
        turn(fd);
        block();
    }
    turn(fd);
    if (take == become_nobody)
        print_strangers();
    puts("done");
    return 0;
}

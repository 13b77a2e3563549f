/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the collector. Runs on the watchdog and, between clone and execve, in children that
 * share its memory: raw system calls only. */
#include "preload/reader/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "common/protocol.h"
#include "preload/state/suspends.h"
#include "preload/sys/cpu.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"

#define STACK_BYTES (16 * 1024)

struct spawn {
    const char *path;
    int socket_fd, output_fd;
    char *stacks; /* two of STACK_BYTES */
    int error;    /* written by the grandchild: memory is shared … */
    long pid;     /* … and by the child: of the grandchild */
};

static void give(int fd, int as)
{
    if (fd >= 0)
        lh_syscall3(SYS_dup3, fd, as, 0);
}

/* All descriptors of the watchdog are above these numbers and close themselves at execve. */
static int grandchild(void *argument)
{
    struct spawn *spawn = argument;
    const char *const arguments[] = {"loophound", LH_COLLECTOR_COMMAND, NULL};
    const char *const environment[] = {NULL};
    long null = lh_syscall4(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR, 0);
    lh_syscall0(SYS_setsid);
    give((int)null, 0);
    give((int)null, 1);
    give(spawn->socket_fd, 2);
    give(spawn->socket_fd, LH_COLLECTOR_SOCKET_FD);
    give(spawn->output_fd, LH_COLLECTOR_OUTPUT_FD);
    spawn->error =
        (int)lh_syscall3(SYS_execve, (long)spawn->path, (long)arguments, (long)environment);
    return 127;
}

static int child(void *argument)
{
    struct spawn *spawn = argument;
    long pid = lh_cpu_clone(CLONE_VM | CLONE_VFORK, spawn->stacks + STACK_BYTES, NULL, NULL,
                            grandchild, spawn);
    spawn->pid = pid;
    if (pid < 0)
        spawn->error = (int)pid;
    lh_suspends_served();
    return 0;
}

int lh_spawn_collector(const char *path, int socket_fd, int output_fd, uint32_t *started)
{
    struct spawn spawn = {path, socket_fd, output_fd, NULL, 0, 0};
    spawn.stacks = lh_memory_map(NULL, 2 * STACK_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (spawn.stacks == NULL)
        return -ENOMEM;
    long pid = lh_cpu_clone(CLONE_VM | CLONE_VFORK, spawn.stacks + 2 * STACK_BYTES, NULL, NULL,
                            child, &spawn);
    if (pid < 0)
        spawn.error = (int)pid;
    else
        while (lh_syscall4(SYS_wait4, pid, 0, __WALL, 0) == -EINTR)
            ;
    lh_syscall2(SYS_munmap, (long)spawn.stacks, 2 * STACK_BYTES);
    *started = spawn.pid > 0 ? (uint32_t)spawn.pid : 0;
    return spawn.error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes: see scenario.h. */
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "processor.h"
#include "scenario.h"

static pid_t child;
static FILE *stream;
static char command[64];

/* A child that lives until the other end of a pipe is closed. */
static void make_child(void)
{
    CHECK(pipe(pair) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char byte;
        close(pair[1]);
        _exit(read(pair[0], &byte, 1) == 0 ? 0 : 1);
    }
}

static void let_child_end(void)
{
    close(pair[1]);
}

static void make_command(void)
{
    snprintf(command, sizeof command, "sleep %u.%03u", delay_ms / 1000, delay_ms % 1000);
}

static void make_stream(void)
{
    make_command();
    stream = popen(command, "r");
    CHECK(stream);
}

static long call_waitpid(void)
{
    return waitpid(child, NULL, 0) == child ? 0 : -1;
}

static long call_waitpid_nohang(void)
{
    return waitpid(child, NULL, WNOHANG);
}

static long call_wait4(void)
{
    return wait4(child, NULL, 0, NULL) == child ? 0 : -1;
}

static long call_wait4_nohang(void)
{
    return wait4(child, NULL, WNOHANG, NULL);
}

static long call_waitid(void)
{
    return waitid(P_PID, (id_t)child, NULL, WEXITED);
}

static long call_waitid_nohang(void)
{
    return waitid(P_PID, (id_t)child, NULL, WEXITED | WNOHANG);
}

static long call_system(void)
{
    return system(command);
}

static long call_popen(void)
{
    return popen(command, "r") ? 0 : -1;
}

static long call_pclose(void)
{
    return pclose(stream);
}

static long call_wait(void)
{
    return wait(NULL) == child ? 0 : -1;
}

static long call_wait3(void)
{
    return wait3(NULL, 0, NULL) == child ? 0 : -1;
}

static long call_wait3_nohang(void)
{
    return wait3(NULL, WNOHANG, NULL);
}

static char true_name[] = "true";
static char *const true_argv[] = {true_name, NULL};

static long call_posix_spawn(void)
{
    return posix_spawn(&child, "/bin/true", NULL, NULL, true_argv, environ);
}

static long call_posix_spawnp(void)
{
    return posix_spawnp(&child, "/bin/true", NULL, NULL, true_argv, environ);
}

#ifdef HAS_OLDER_LIBC
/* What programs that were linked before glibc 2.15 call. */
extern typeof(posix_spawn) old_posix_spawn, old_posix_spawnp;
__asm__(".symver old_posix_spawn, posix_spawn@GLIBC_2.2.5");
__asm__(".symver old_posix_spawnp, posix_spawnp@GLIBC_2.2.5");

static long call_old_posix_spawn(void)
{
    return old_posix_spawn(&child, "/bin/true", NULL, NULL, true_argv, environ);
}

static long call_old_posix_spawnp(void)
{
    return old_posix_spawnp(&child, "/bin/true", NULL, NULL, true_argv, environ);
}
#endif

#if __GLIBC_PREREQ(2, 39)
static int child_fd;

static long call_pidfd_spawn(void)
{
    return pidfd_spawn(&child_fd, "/bin/true", NULL, NULL, true_argv, environ);
}

static long call_pidfd_spawnp(void)
{
    return pidfd_spawnp(&child_fd, "/bin/true", NULL, NULL, true_argv, environ);
}
#endif

static const struct scenario rows[] = {
    {"waitpid", make_child, call_waitpid, let_child_end, make_child, call_waitpid_nohang, 0},
    {"wait4", make_child, call_wait4, let_child_end, make_child, call_wait4_nohang, 0},
    {"waitid", make_child, call_waitid, let_child_end, make_child, call_waitid_nohang, 0},
    {"wait", make_child, call_wait, let_child_end, NULL, NULL, 0},
    {"wait3", make_child, call_wait3, let_child_end, make_child, call_wait3_nohang, 0},
    {"posix_spawn", NULL, call_posix_spawn, NULL, NULL, NULL, SYS_execve},
    {"posix_spawnp", NULL, call_posix_spawnp, NULL, NULL, NULL, SYS_execve},
#ifdef HAS_OLDER_LIBC
    {"posix_spawn_2_2_5", NULL, call_old_posix_spawn, NULL, NULL, NULL, SYS_execve},
    {"posix_spawnp_2_2_5", NULL, call_old_posix_spawnp, NULL, NULL, NULL, SYS_execve},
#endif
#if __GLIBC_PREREQ(2, 39)
    {"pidfd_spawn", NULL, call_pidfd_spawn, NULL, NULL, NULL, SYS_execve},
    {"pidfd_spawnp", NULL, call_pidfd_spawnp, NULL, NULL, NULL, SYS_execve},
#endif
    {"system", make_command, call_system, NULL, NULL, NULL, 0},
    {"popen", make_command, call_popen, NULL, NULL, NULL, SYS_pipe2},
    {"pclose", make_stream, call_pclose, NULL, NULL, NULL, 0},
};

SCENARIO_MAIN(rows)

/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of system calls. See seccomp.h.
 *
 * Runs on the program's threads and, in try_out(), in a forked child: raw system calls only. */
#include "preload/process/seccomp.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "preload/state/state.h"
#include "preload/sys/cpu.h"
#include "preload/sys/memory.h"
#include "preload/sys/poll.h"
#include "preload/sys/proc.h"
#include "preload/sys/signals.h"
#include "preload/sys/syscall.h"

#define STACK_BYTES (16 * 1024)

/* Without them a filter that would ask a supervisor fails the call: nobody is asked about the
 * child. */
#define FLAGS_OF_SUPERVISORS                                                                       \
    (long)(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

/* All that we make (but exit, what a forked collector makes before it is one, and what trip.c makes
 * under no filter). Tried with the arguments -1, 0, 0, ..., with which each of them fails or does
 * nothing; ppoll, which would wait for ever, with arguments of its own. */
static const short tried[] = {
    SYS_wait4,          SYS_clock_gettime, SYS_clone,
    SYS_close,          SYS_close_range,   SYS_connect,
    SYS_dup3,           SYS_execve,        SYS_fcntl,
    SYS_fstat,          SYS_fstatfs,       SYS_ftruncate,
    SYS_futex,          SYS_getdents64,    SYS_geteuid,
    SYS_getpeername,    SYS_getpid,        SYS_getrusage,
    SYS_getsockopt,     SYS_gettid,        SYS_madvise,
    SYS_memfd_create,   SYS_mmap,          SYS_mprotect,
    SYS_mremap,         SYS_munlock,       SYS_munmap,
    SYS_openat,         SYS_pidfd_getfd,   SYS_pidfd_open,
    SYS_prctl,          SYS_pread64,       SYS_process_vm_readv,
    SYS_read,           SYS_readlinkat,    SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_sched_yield,   SYS_pselect6,
    SYS_sendmsg,        SYS_sendto,        SYS_socket,
    SYS_socketpair,     SYS_statfs,        SYS_tgkill,
    SYS_timer_create,   SYS_timer_delete,  SYS_timer_settime,
    SYS_write,          SYS_waitid,
};

/* How the child ends. Otherwise a signal ended it. */
enum verdict { SURVIVED, NO_FILTER };

struct trial {
    long number; /* the system call that puts the thread under the filter; -1: it is already */
    long a, b, c, d, e;
};

/* Of this process and its children. */
static _Atomic uint32_t answer;
enum answer { UNKNOWN, HARMLESS, DEADLY };

static int try_out(void *argument)
{
    const struct trial *trial = argument;
    const struct lh_signal_action deadly = {.handler = NULL}; /* SIG_DFL */
    lh_syscall2(SYS_prctl, PR_SET_DUMPABLE, 0);               /* no core file of this child */
    lh_signal_action(SIGSYS, &deadly, NULL);
    if (trial->number >= 0 &&
        lh_syscall5(trial->number, trial->a, trial->b, trial->c, trial->d, trial->e) != 0)
        return NO_FILTER; /* nor will it succeed for the program */
    for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++)
        lh_syscall6(tried[i], -1, 0, 0, 0, 0, 0);
    lh_poll(NULL, 0, 0);
    return SURVIVED;
}

/* The child has no end signal: the program never hears of it. It has memory of its own, for one
 * that is killed takes all that share its memory with it when it dumps core (Linux before 5.16). */
static bool survives(struct trial *trial)
{
    int status = -1;
    uint64_t signals = lh_signals_block();
    char *stack = lh_memory_map(NULL, STACK_BYTES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    long pid = -1;
    if (stack != NULL)
        pid = lh_cpu_clone(0, stack + STACK_BYTES, NULL, NULL, try_out, trial);
    if (pid > 0)
        lh_syscall4(SYS_wait4, pid, (long)&status, __WALL, 0);
    if (stack != NULL)
        lh_syscall2(SYS_munmap, (long)stack, STACK_BYTES);
    lh_signals_restore(signals);
    return WIFEXITED(status) && WEXITSTATUS(status) <= NO_FILTER;
}

/* "Seccomp:\t2", SECCOMP_MODE_FILTER: proc_pid_status(5). */
static bool is_filtered(void)
{
    static const char line[] = "\nSeccomp:\t";
    char status[2048];
    const char *found = NULL;
    if (lh_proc_read((uint32_t)lh_syscall0(SYS_gettid), "status", status, sizeof(status)) > 0)
        found = strstr(status, line);
    return found != NULL && found[sizeof(line) - 1] == '0' + SECCOMP_MODE_FILTER;
}

static void say_killer(void)
{
    static _Atomic uint32_t said;
    lh_say_once(&said, "loophound: the seccomp filter of this process kills for system calls that "
                       "loophound makes; it is not watched\n");
}

bool lh_seccomp_lets_us_be(void)
{
    struct trial trial = {.number = -1};
    if (atomic_load(&answer) == UNKNOWN) {
        bool filtered = is_filtered();
        atomic_store(&lh_process->filtered, filtered);
        atomic_store(&answer, filtered && !survives(&trial) ? DEADLY : HARMLESS);
    }
    if (atomic_load(&answer) == HARMLESS)
        return true;
    say_killer();
    return false;
}

static bool installs_filter(const struct trial *trial)
{
    if (trial->number == SYS_prctl)
        return trial->a == PR_SET_SECCOMP;
    return trial->number == SYS_seccomp &&
           (trial->a == SECCOMP_SET_MODE_FILTER || trial->a == SECCOMP_SET_MODE_STRICT);
}

bool lh_seccomp_bears(long number, long a, long b, long c, long d, long e)
{
    struct trial trial = {number, a, b, c, d, e};
    if (!installs_filter(&trial) || lh_process == NULL || atomic_load(&answer) == DEADLY)
        return true;
    atomic_store(&lh_process->filtered, 1);
    if (number == SYS_seccomp)
        trial.b &= ~FLAGS_OF_SUPERVISORS;
    bool harmless = survives(&trial);
    atomic_store(&answer, harmless ? HARMLESS : DEADLY);
    if (harmless || atomic_load(&lh_process->state) == LH_PROCESS_NEW)
        return true;
    say_killer();
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in the collector; the handler on a thread that reads a mapped file.
 *
 * The ELF files are mapped, by libelf and libdw: a copy of a large program would cost its size in
 * memory. They belong to the watched programs and may be cut short at any time. What was read
 * before was checked as hostile data is, and so are the zeros that are read from then on. */
#include "collect/sys/sigbus.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uintptr_t page_bytes;

/* Not a fault, but sent: it is for the thread that drives the collector, as other signals are.
 * That one, if it has not blocked it to pass it on, does with it what is done by default. */
static void hand_on(siginfo_t *info)
{
    pid_t process = getpid();
    if (syscall(SYS_gettid) == process) {
        signal(SIGBUS, SIG_DFL);
        raise(SIGBUS);
        return;
    }
    info->si_code = SI_QUEUE; /* the only code that may be sent on for somebody else */
    syscall(SYS_rt_tgsigqueueinfo, process, process, SIGBUS, info);
}

/* The instruction is tried again when this returns, and ends the process if it faults for another
 * reason. mmap is no function that POSIX lists for handlers; Linux's is a bare system call. */
static void put_zeros(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if (info->si_code <= 0) {
        hand_on(info);
        return;
    }
    uintptr_t page = (uintptr_t)info->si_addr & ~(page_bytes - 1);
    void *zeros = info->si_code == BUS_ADRERR
                      ? mmap((void *)page, page_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)
                      : MAP_FAILED;
    if (zeros == MAP_FAILED)
        signal(SIGBUS, SIG_DFL);
}

void lh_sigbus_guard(void)
{
    struct sigaction action = {.sa_sigaction = put_zeros, .sa_flags = SA_SIGINFO | SA_RESTART};
    page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What depends on the processor in the test programs: the version of libc's oldest symbols, and the
 * number of the system call that libc makes where the kernel lacks an older one (syscalls(2)). */
#ifndef TESTS_PROCESSOR_H
#define TESTS_PROCESSOR_H

#include <sys/syscall.h>

#ifdef __aarch64__
#define FIRST_LIBC "GLIBC_2.17"
#else
#define FIRST_LIBC     "GLIBC_2.2.5"
#define HAS_OLDER_LIBC /* functions that libc has in several versions since then */
#endif

#ifndef SYS_stat
#define SYS_stat       SYS_newfstatat
#define SYS_lstat      SYS_newfstatat
#define SYS_access     SYS_faccessat
#define SYS_readlink   SYS_readlinkat
#define SYS_rename     SYS_renameat2
#define SYS_link       SYS_linkat
#define SYS_symlink    SYS_symlinkat
#define SYS_unlink     SYS_unlinkat
#define SYS_mkdir      SYS_mkdirat
#define SYS_rmdir      SYS_unlinkat
#define SYS_chmod      SYS_fchmodat
#define SYS_chown      SYS_fchownat
#define SYS_lchown     SYS_fchownat
#define SYS_creat      SYS_openat
#define SYS_epoll_wait SYS_epoll_pwait
#endif

/* A call of the kernel by an instruction of the caller's own, as a runtime has it that makes its
 * system calls itself: syscall(2), "Architecture calling conventions". Returns what the kernel
 * does: a negative error number on failure. */
static inline __attribute__((always_inline)) long kernel_call(long number, long a, long b, long c,
                                                              long d, long e, long f)
{
#ifdef __aarch64__
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc #0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result = number;
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#endif
}

/* Tells the processor that this is a loop that waits. */
static inline void spin_hint(void)
{
#ifdef __aarch64__
    __asm__ volatile("yield");
#else
    __builtin_ia32_pause();
#endif
}

#endif

/* What depends on the processor: the time-stamp counter, a caller's registers, the clone call.
 * x86-64 only, on any thread. A port to another processor starts here and in sys.h. */
#ifndef LH_PRELOAD_CPU_H
#define LH_PRELOAD_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "common/ring.h"

/* One reading of the time-stamp counter: Intel SDM vol. 3, 18.17. Not serialising: the error of a
 * few ns is far below any threshold. */
static inline uint64_t lh_cpu_counter(void)
{
    return __builtin_ia32_rdtsc();
}

/* Does the counter run at one rate in every state of the processor (CPUID 80000007H, EDX bit 8)? */
bool lh_cpu_counter_is_steady(void);

/* Stores what an unwinder needs to start inside the calling function, by that function's own call
 * frame information: the callee-saved registers as they are now, and a program counter here. */
static inline __attribute__((always_inline)) void lh_cpu_registers(struct lh_registers *registers)
{
    uint64_t scratch;
    __asm__ volatile("movq %%rbx, 0(%1)\n\t"
                     "movq %%rbp, 8(%1)\n\t"
                     "movq %%r12, 16(%1)\n\t"
                     "movq %%r13, 24(%1)\n\t"
                     "movq %%r14, 32(%1)\n\t"
                     "movq %%r15, 40(%1)\n\t"
                     "movq %%rsp, 48(%1)\n\t"
                     "leaq 0(%%rip), %0\n\t"
                     "movq %0, 56(%1)"
                     : "=&r"(scratch)
                     : "r"(registers)
                     : "memory");
}

static inline __attribute__((always_inline)) uintptr_t lh_cpu_stack_pointer(void)
{
    uintptr_t sp;
    __asm__ volatile("movq %%rsp, %0" : "=r"(sp));
    return sp;
}

/* The stack pointer at which longjmp(3) goes on: word 6 of what setjmp(3) filled in (glibc's
 * jmpbuf-offsets.h), with the pointer guard taken out again (PTR_DEMANGLE). */
static inline uintptr_t lh_cpu_jump_target(const long *words)
{
    uintptr_t sp = (uintptr_t)words[6];
    __asm__("rorq $17, %0\n\t"
            "xorq %%fs:0x30, %0"
            : "+r"(sp)
            :
            : "cc");
    return sp;
}

/* clone(2) without libc: runs fn(arg) on the stack that ends at stack_top and exits with its
 * result. `tls` is used with CLONE_SETTLS, `child_tid` with CLONE_CHILD_CLEARTID. Returns the new
 * task's id or a negative error number; the new task never returns from here. */
long lh_cpu_clone(unsigned long flags, void *stack_top, int *child_tid, void *tls,
                  int (*fn)(void *), void *arg);

/* Where a signal handler of ours returns to: rt_sigreturn(2). Debuggers and unwinders know it by
 * its bytes, which are glibc's. */
void lh_cpu_signal_return(void);

/* Where the compiler's stack protector and libc's pointer guard live, relative to the thread
 * pointer (glibc's tcbhead_t): a thread of ours without libc's TLS needs copies of them. */
void lh_cpu_fake_tls(void *thread_pointer);

#endif

/* What depends on the processor. Runs on the program's threads and in the watchdog; no libc calls.
 */
#include "preload/cpu.h"

#include <cpuid.h>

bool lh_cpu_counter_is_steady(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) && (edx & (1u << 8)) != 0;
}

/* The frame of the new task ends unwinding: its return address is undefined. */
__asm__(".text\n"
        ".hidden lh_cpu_clone\n"
        ".globl lh_cpu_clone\n"
        ".type lh_cpu_clone, @function\n"
        "lh_cpu_clone:\n"
        ".cfi_startproc\n"
        "  andq $-16, %rsi\n"
        "  subq $16, %rsi\n"
        "  movq %r8, 0(%rsi)\n" /* fn */
        "  movq %r9, 8(%rsi)\n" /* arg */
        "  movq %rdx, %r10\n"   /* child_tid */
        "  movq %rcx, %r8\n"    /* tls */
        "  xorl %edx, %edx\n"   /* parent_tid: none */
        "  movl $56, %eax\n"    /* SYS_clone */
        "  syscall\n"
        "  testq %rax, %rax\n"
        "  jz 1f\n"
        "  ret\n"
        "1:\n"
        ".cfi_undefined rip\n"
        "  xorl %ebp, %ebp\n"
        "  popq %rax\n"
        "  popq %rdi\n"
        "  call *%rax\n"
        "  movl %eax, %edi\n"
        "  movl $60, %eax\n" /* SYS_exit: this task only */
        "  syscall\n"
        "  hlt\n"
        ".cfi_endproc\n"
        ".size lh_cpu_clone, .-lh_cpu_clone\n");

void lh_cpu_fake_tls(void *thread_pointer)
{
    enum { TCB = 0, SELF = 2, STACK_GUARD = 5, POINTER_GUARD = 6 };
    uint64_t *words = thread_pointer;
    words[TCB] = (uint64_t)(uintptr_t)thread_pointer;
    words[SELF] = (uint64_t)(uintptr_t)thread_pointer;
    __asm__("movq %%fs:0x28, %0" : "=r"(words[STACK_GUARD]));
    __asm__("movq %%fs:0x30, %0" : "=r"(words[POINTER_GUARD]));
}

__asm__(".text\n"
        ".globl lh_cpu_signal_return\n"
        ".hidden lh_cpu_signal_return\n"
        ".type lh_cpu_signal_return, @function\n"
        "lh_cpu_signal_return:\n\t"
        "movq $15, %rax\n\t"
        "syscall\n"
        ".size lh_cpu_signal_return, .-lh_cpu_signal_return\n");

/* SPDX-License-Identifier: Apache-2.0 */
/* What depends on the processor, for x86-64: see preload/sys/cpu.h. */
#include "preload/sys/cpu.h"

#include <cpuid.h>
#include <ucontext.h>

/* CPUID 80000007H, EDX bit 8. */
bool lh_cpu_counter_is_steady(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(0x80000007, &eax, &ebx, &ecx, &edx) && (edx & (1u << 8)) != 0;
}

void lh_cpu_registers_interrupted(struct lh_registers *registers, const void *context)
{
    const greg_t *from = ((const ucontext_t *)context)->uc_mcontext.gregs;
    *registers = (struct lh_registers){
        .rbx = (uint64_t)from[REG_RBX],
        .fp = (uint64_t)from[REG_RBP],
        .r12 = (uint64_t)from[REG_R12],
        .r13 = (uint64_t)from[REG_R13],
        .r14 = (uint64_t)from[REG_R14],
        .r15 = (uint64_t)from[REG_R15],
        .sp = (uint64_t)from[REG_RSP],
        .pc = (uint64_t)from[REG_RIP],
    };
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
        "  movq %rdx, %r10\n"   /* child_tid, and parent_tid */
        "  movq %rcx, %r8\n"    /* tls */
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

/* SPDX-License-Identifier: Apache-2.0 */
/* What depends on the processor, for 64-bit Arm: see preload/sys/cpu.h. */
#include "preload/sys/cpu.h"

#include <setjmp.h>
#include <ucontext.h>

/* "An always-on counter that is independent of the state of the processor": Arm ARM, D12.1. */
bool lh_cpu_counter_is_steady(void)
{
    return true;
}

void lh_cpu_registers_interrupted(struct lh_registers *registers, const void *context)
{
    const mcontext_t *from = &((const ucontext_t *)context)->uc_mcontext;
    *registers = (struct lh_registers){
        .x19 = from->regs[19],
        .x20 = from->regs[20],
        .x21 = from->regs[21],
        .x22 = from->regs[22],
        .x23 = from->regs[23],
        .x24 = from->regs[24],
        .x25 = from->regs[25],
        .x26 = from->regs[26],
        .x27 = from->regs[27],
        .x28 = from->regs[28],
        .fp = from->regs[29],
        .lr = from->regs[30],
        .sp = from->sp,
        .pc = from->pc,
    };
}

/* setjmp(3) mangles the stack pointer by an exclusive or with a word that libc keeps to itself: it
 * is the difference between what one of our own stores and what it must be. Inlined into each
 * other, the two lines see one stack pointer. */
uintptr_t lh_cpu_pointer_guard(void)
{
    jmp_buf here;
    if (_setjmp(here) != 0)
        return 0; /* nobody jumps there */
    return ((const uintptr_t *)here->__jmpbuf)[13] ^ lh_cpu_stack_pointer();
}

/* The arguments of clone(2) are in another order than on x86-64: flags, stack, parent_tid, tls,
 * child_tid. The frame of the new task ends unwinding: its return address is undefined. */
__asm__(".text\n"
        ".hidden lh_cpu_clone\n"
        ".globl lh_cpu_clone\n"
        ".type lh_cpu_clone, %function\n"
        "lh_cpu_clone:\n"
        ".cfi_startproc\n"
        "  and x1, x1, #-16\n"
        "  stp x4, x5, [x1, #-16]!\n" /* fn, arg */
        "  mov x4, x2\n"              /* child_tid is parent_tid */
        "  mov x8, #220\n"            /* SYS_clone */
        "  svc #0\n"
        "  cbz x0, 1f\n"
        "  ret\n"
        "1:\n"
        ".cfi_undefined x30\n"
        "  mov x29, xzr\n"
        "  mov x30, xzr\n"
        "  ldp x1, x0, [sp], #16\n"
        "  blr x1\n"
        "  mov x8, #93\n" /* SYS_exit: this task only */
        "  svc #0\n"
        "  brk #0\n"
        ".cfi_endproc\n"
        ".size lh_cpu_clone, .-lh_cpu_clone\n");

/* Neither the stack protector nor the pointer guard is relative to the thread pointer here: they
 * are variables of ld.so's. */
void lh_cpu_fake_tls(void *thread_pointer)
{
    (void)thread_pointer;
}

__asm__(".text\n"
        ".globl lh_cpu_signal_return\n"
        ".hidden lh_cpu_signal_return\n"
        ".type lh_cpu_signal_return, %function\n"
        "lh_cpu_signal_return:\n"
        "  mov x8, #139\n" /* SYS_rt_sigreturn */
        "  svc #0\n"
        ".size lh_cpu_signal_return, .-lh_cpu_signal_return\n");

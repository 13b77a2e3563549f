/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of preload/sys/cpu.h that are inlined, for x86-64. Any thread. */
#ifndef LH_PRELOAD_SYS_X86_64_CPU_H
#define LH_PRELOAD_SYS_X86_64_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "common/processor.h"

/* Intel SDM vol. 3, 18.17. Not serialising: the error of a few ns is far below any threshold. */
static inline uint64_t lh_cpu_counter(void)
{
    return __builtin_ia32_rdtsc();
}

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
    /* cppcheck-suppress uninitvar ; the line above sets it */
    return sp;
}

/* Its first word is its own address: psABI, "Thread-Local Storage". */
static inline uintptr_t lh_cpu_thread_pointer(void)
{
    uintptr_t pointer;
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    /* cppcheck-suppress uninitvar ; the line above sets it */
    return pointer;
}

static inline uintptr_t lh_cpu_plain_address(uintptr_t word)
{
    return word;
}

static inline uintptr_t lh_cpu_link(const struct lh_registers *registers)
{
    (void)registers;
    return 0;
}

/* libc's variables are below the thread pointer. */
#define LH_CPU_TLS_BELOW (12u * 1024)

#define LH_CPU_CALL_BYTES 7

/* Intel SDM vol. 2, CALL: E8 and 4 bytes; or FF, a ModR/M byte whose middle field is 2, and up to 5
 * bytes that this one asks for. */
static inline bool lh_cpu_ends_in_call(const unsigned char *code)
{
    if (code[LH_CPU_CALL_BYTES - 5] == 0xe8)
        return true;
    for (int i = 0; i < LH_CPU_CALL_BYTES - 1; i++)
        if (code[i] == 0xff && (code[i + 1] >> 3 & 7) == 2)
            return true;
    return false;
}

/* Word 6 of what setjmp(3) filled in (glibc's jmpbuf-offsets.h), with the pointer guard taken out
 * again (PTR_DEMANGLE). */
static inline uintptr_t lh_cpu_jump_target(const void *filled)
{
    uintptr_t sp = ((const uintptr_t *)filled)[6];
    __asm__("rorq $17, %0\n\t"
            "xorq %%fs:0x30, %0"
            : "+r"(sp)
            :
            : "cc");
    /* cppcheck-suppress uninitvar ; the line above sets it */
    return sp;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of preload/sys/cpu.h that are inlined, for 64-bit Arm. Any thread. */
#ifndef LH_PRELOAD_SYS_AARCH64_CPU_H
#define LH_PRELOAD_SYS_AARCH64_CPU_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/processor.h"

/* The virtual counter: Arm ARM, D12.1; the kernel lets programs read it (the vDSO does). Without an
 * ISB it may be read some instructions early: far below any threshold. */
static inline uint64_t lh_cpu_counter(void)
{
    uint64_t count;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    /* cppcheck-suppress uninitvar ; the line above sets it */
    return count;
}

static inline __attribute__((always_inline)) void lh_cpu_registers(struct lh_registers *registers)
{
    uint64_t scratch;
    __asm__ volatile("stp x19, x20, [%1]\n\t"
                     "stp x21, x22, [%1, #16]\n\t"
                     "stp x23, x24, [%1, #32]\n\t"
                     "stp x25, x26, [%1, #48]\n\t"
                     "stp x27, x28, [%1, #64]\n\t"
                     "stp x29, x30, [%1, #80]\n\t"
                     "mov %0, sp\n\t"
                     "str %0, [%1, #96]\n\t"
                     "adr %0, .\n\t"
                     "str %0, [%1, #104]"
                     : "=&r"(scratch)
                     : "r"(registers)
                     : "memory");
}

static inline __attribute__((always_inline)) uintptr_t lh_cpu_stack_pointer(void)
{
    uintptr_t sp;
    __asm__ volatile("mov %0, sp" : "=r"(sp));
    /* cppcheck-suppress uninitvar ; the line above sets it */
    return sp;
}

static inline uintptr_t lh_cpu_thread_pointer(void)
{
    return (uintptr_t)__builtin_thread_pointer();
}

/* The signature is above the address (Arm ARM, D8.10): Linux gives programs 48 bits unless they ask
 * for more (Documentation/arm64/memory.rst). */
static inline uintptr_t lh_cpu_plain_address(uintptr_t word)
{
    return word & ((1ul << 48) - 1);
}

static inline uintptr_t lh_cpu_link(const struct lh_registers *registers)
{
    return lh_cpu_plain_address(registers->lr);
}

#define LH_CPU_CALL_BYTES 4

/* BL; BLR, and BLRAA and its like, which check a signature (Arm ARM, C4.1.65). */
static inline bool lh_cpu_ends_in_call(const unsigned char *code)
{
    uint32_t instruction;
    memcpy(&instruction, code, sizeof(instruction));
    return (instruction & 0xfc000000) == 0x94000000 || (instruction & 0xfefff000) == 0xd63f0000;
}

/* libc's TLS is what the ABI calls variant 1: variables begin at the thread pointer and go up;
 * below it is libc's struct pthread (glibc 2.43: 2 KiB). */
#define LH_CPU_TLS_BELOW (4u * 1024)

uintptr_t lh_cpu_pointer_guard(void);

/* Word 13 of what setjmp(3) filled in (glibc's jmpbuf-offsets.h), with the pointer guard taken out
 * again (PTR_DEMANGLE). */
static inline uintptr_t lh_cpu_jump_target(const void *filled)
{
    return ((const uintptr_t *)filled)[13] ^ lh_cpu_pointer_guard();
}

#endif

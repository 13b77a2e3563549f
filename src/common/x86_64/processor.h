/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64: see common/processor.h, by which it is included. */
#ifndef LH_COMMON_X86_64_PROCESSOR_H
#define LH_COMMON_X86_64_PROCESSOR_H

#include <stddef.h>
#include <stdint.h>

#define LH_PROCESSOR_NAME "x86-64"               /* for people */
#define LH_ELF_MACHINE    EM_X86_64              /* of <elf.h> */
#define LH_MULTIARCH      "x86_64-linux-gnu"     /* of Debian's library directories */
#define LH_DYNAMIC_LINKER "ld-linux-x86-64.so.2" /* of glibc, whatever its directory */

/* The registers a caller of libc had, as far as unwinding needs them: at `pc`, inside our wrapper.
 * Every processor has `fp` (the frame pointer, rbp), `sp` and `pc`; the others are those that a
 * call preserves (System V ABI, figure 3.4). */
struct lh_registers {
    uint64_t rbx, fp, r12, r13, r14, r15, sp, pc;
};

/* What a function may use below its stack pointer (System V ABI, 3.2.2). */
#define LH_RED_ZONE_BYTES 128

/* Assembly stores them by their offsets. */
_Static_assert(offsetof(struct lh_registers, fp) == 8 && offsetof(struct lh_registers, sp) == 48 &&
                   offsetof(struct lh_registers, pc) == 56,
               "the order of struct lh_registers");

#endif

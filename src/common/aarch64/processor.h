/* SPDX-License-Identifier: Apache-2.0 */
/* 64-bit Arm: see common/processor.h, by which it is included. */
#ifndef LH_COMMON_AARCH64_PROCESSOR_H
#define LH_COMMON_AARCH64_PROCESSOR_H

#include <stddef.h>
#include <stdint.h>

#define LH_PROCESSOR_NAME "aarch64"               /* for people */
#define LH_ELF_MACHINE    EM_AARCH64              /* of <elf.h> */
#define LH_MULTIARCH      "aarch64-linux-gnu"     /* of Debian's library directories */
#define LH_DYNAMIC_LINKER "ld-linux-aarch64.so.1" /* of glibc, whatever its directory */

/* The registers a caller of libc had, as far as unwinding needs them: at `pc`, inside our wrapper.
 * Every processor has `fp` (the frame pointer, x29), `sp` and `pc`; the others are those that a
 * call preserves, and the link register, which is the return address until the function has stored
 * it (AAPCS64, 6.1.1). */
struct lh_registers {
    uint64_t x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, fp, lr, sp, pc;
};

/* A function uses nothing below its stack pointer (AAPCS64, 6.4.5). */
#define LH_RED_ZONE_BYTES 0

/* Assembly stores them by their offsets. */
_Static_assert(offsetof(struct lh_registers, fp) == 80 && offsetof(struct lh_registers, sp) == 96 &&
                   offsetof(struct lh_registers, pc) == 104,
               "the order of struct lh_registers");

#endif

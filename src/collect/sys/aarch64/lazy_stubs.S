/* SPDX-License-Identifier: Apache-2.0 */
/* The stubs of lazy.h. Any thread of the command. */
#define ARGUMENTS 208 /* bytes of x0 to x8, of x29 and x30, and of q0 to q7, rounded up to 16 */
#define VECTORS   80

        .text
/* At the first call, x16 being the slot. The arguments are kept for the function: AAPCS64, 6.8. */
enter:
        .cfi_startproc
        hint    #34 /* bti c: the first jump may be checked */
        stp     x29, x30, [sp, #-ARGUMENTS]!
        .cfi_def_cfa_offset ARGUMENTS
        .cfi_offset 29, -ARGUMENTS
        .cfi_offset 30, -ARGUMENTS + 8
        mov     x29, sp
        stp     x0, x1, [sp, #16]
        stp     x2, x3, [sp, #32]
        stp     x4, x5, [sp, #48]
        stp     x6, x7, [sp, #64]
        stp     q0, q1, [sp, #VECTORS]
        stp     q2, q3, [sp, #VECTORS + 32]
        stp     q4, q5, [sp, #VECTORS + 64]
        stp     q6, q7, [sp, #VECTORS + 96]
        mov     x0, x16
        bl      lh_lazy_find
        mov     x16, x0
        ldp     q6, q7, [sp, #VECTORS + 96]
        ldp     q4, q5, [sp, #VECTORS + 64]
        ldp     q2, q3, [sp, #VECTORS + 32]
        ldp     q0, q1, [sp, #VECTORS]
        ldp     x6, x7, [sp, #64]
        ldp     x4, x5, [sp, #48]
        ldp     x2, x3, [sp, #32]
        ldp     x0, x1, [sp, #16]
        ldp     x29, x30, [sp], #ARGUMENTS
        .cfi_def_cfa_offset 0
        .cfi_restore 29
        .cfi_restore 30
        br      x16
        .cfi_endproc

        .macro  function name
        .balign 16
        .globl  \name
        .hidden \name
        .type   \name, %function
\name:
        hint    #34
        adrp    x16, slot_\name
        ldr     x16, [x16, #:lo12:slot_\name]
        br      x16
first_\name:
        hint    #34
        adrp    x16, slot_\name
        add     x16, x16, #:lo12:slot_\name
        b       enter
        .size   \name, . - \name
        .endm

        .macro  slot name
slot_\name:
        .quad   first_\name
        .endm

#define FUNCTION(name, library) function name
#include "lazy_libraries.def"
#undef FUNCTION

        .data
        .balign 8
        .globl  lh_lazy_slots
        .hidden lh_lazy_slots
lh_lazy_slots:
#define FUNCTION(name, library) slot name
#include "lazy_libraries.def"

        .section .note.GNU-stack, "", %progbits

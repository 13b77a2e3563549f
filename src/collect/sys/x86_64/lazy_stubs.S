/* SPDX-License-Identifier: Apache-2.0 */
/* The stubs of lazy.h. Any thread of the command. */
#include <cet.h>

#define ARGUMENTS 0x80 /* bytes of xmm0 to xmm7 */

        .text
/* At the first call, %r11 being the slot. The arguments are kept for the function: System V ABI,
 * AMD64 supplement, 3.2.3; %al is the number of vector registers of a call with "...". */
enter:
        .cfi_startproc
        push    %rbp
        .cfi_def_cfa_offset 16
        .cfi_offset %rbp, -16
        mov     %rsp, %rbp
        .cfi_def_cfa_register %rbp
        push    %rdi
        push    %rsi
        push    %rdx
        push    %rcx
        push    %r8
        push    %r9
        push    %rax
        push    %r11
        sub     $ARGUMENTS, %rsp
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        movaps  %xmm\n, 16*\n(%rsp)
        .endr
        mov     %r11, %rdi
        call    lh_lazy_find
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        movaps  16*\n(%rsp), %xmm\n
        .endr
        add     $ARGUMENTS, %rsp
        mov     %rax, %r11
        pop     %rax /* the slot */
        pop     %rax
        pop     %r9
        pop     %r8
        pop     %rcx
        pop     %rdx
        pop     %rsi
        pop     %rdi
        leave
        .cfi_def_cfa %rsp, 8
        jmp     *%r11
        .cfi_endproc

        .macro  function name
        .balign 16
        .globl  \name
        .hidden \name
        .type   \name, @function
\name:
        _CET_ENDBR
        jmp     *slot_\name(%rip)
first_\name:
        _CET_ENDBR
        lea     slot_\name(%rip), %r11
        jmp     enter
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

        .section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: Apache-2.0 */
/* Computes in code that keeps what unwinding needs below its stack pointer, as OpenSSL's assembler
 * does: the way to the caller is the word there. */
#include <stdint.h>

#include "small_loop.h"

#define TURNS    2000000u
#define SPIN_NS  300000000
#define NS_PER_S 1000000000

void spin_in_red_zone(uint64_t turns);

/* The frame's address is the word at sp - 8, plus 8: an expression of DWARF. */
__asm__(".text\n"
        ".type spin_in_red_zone, @function\n"
        ".globl spin_in_red_zone\n"
        "spin_in_red_zone:\n"
        "    .cfi_startproc\n"
        "    mov %rsp, -8(%rsp)\n"
        "    .cfi_escape 0x0f, 0x05, 0x77, 0x78, 0x06, 0x23, 0x08\n"
        "1:  dec %rdi\n"
        "    jnz 1b\n"
        "    ret\n"
        "    .cfi_endproc\n"
        ".size spin_in_red_zone, . - spin_in_red_zone\n");

static int64_t now_ns(void)
{
    struct timespec now;
    check(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

__attribute__((noinline)) static void handle(void)
{
    int64_t end = now_ns() + SPIN_NS;
    while (now_ns() < end)
        spin_in_red_zone(TURNS);
}

int main(void)
{
    int set = begin_loop();
    handle();
    turn(set);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* 64-bit Arm's answers to what unwinding asks. Runs in the collector, on any of its threads. */
#include "collect/stack/unwind_registers.h"

#include <stddef.h>
#include <string.h>

const uint8_t lh_unwind_return_column = 30; /* AADWARF64, 4.1: the link register */

/* Compilers keep a frame record in every function that calls (AAPCS64, 6.4.6). */
const bool lh_unwind_has_frame_records = true;

const bool lh_unwind_has_link = true; /* x30: AAPCS64, 6.1.1 */

/* The registers are in the order of their numbers: AADWARF64, 4.1. */
bool lh_unwind_register(const struct lh_registers *registers, unw_regnum_t number,
                        unw_word_t *value)
{
    if (number == UNW_AARCH64_PC)
        *value = registers->pc;
    else if (number == UNW_AARCH64_SP)
        *value = registers->sp;
    else if (number >= UNW_AARCH64_X19 && number <= UNW_AARCH64_X30)
        memcpy(value, &registers->x19 + (number - UNW_AARCH64_X19), sizeof(*value));
    else
        return false;
    return true;
}

static uint64_t register_or_0(unw_cursor_t *cursor, unw_regnum_t number)
{
    unw_word_t value;
    return unw_get_reg(cursor, number, &value) == 0 ? value : 0;
}

void lh_unwind_preserved(unw_cursor_t *cursor, struct lh_registers *registers)
{
    uint64_t *to = &registers->x19;
    for (unw_regnum_t number = UNW_AARCH64_X19; number <= UNW_AARCH64_X28; number++)
        *to++ = register_or_0(cursor, number);
}

uint64_t lh_unwind_frame_pointer(unw_cursor_t *cursor)
{
    return register_or_0(cursor, UNW_AARCH64_X29);
}

uint64_t lh_unwind_link(const struct lh_registers *registers)
{
    return lh_unwind_plain_address(registers->lr);
}

/* The signature of a return address is above the address: Arm ARM, D8.10. */
uint64_t lh_unwind_plain_address(uint64_t word)
{
    return word & ((1ull << 48) - 1);
}

/* mov x8, #__NR_rt_sigreturn; svc #0. */
bool lh_unwind_is_signal_return(const uint8_t code[LH_SIGNAL_RETURN_BYTES])
{
    static const uint8_t bytes[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
    _Static_assert(sizeof(bytes) <= LH_SIGNAL_RETURN_BYTES, "it is read in one go");
    return memcmp(code, bytes, sizeof(bytes)) == 0;
}

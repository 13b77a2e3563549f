/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64's answers to what unwinding asks. Runs in the collector, on any of its threads. */
#include "collect/stack/unwind_registers.h"

#include <stddef.h>
#include <string.h>

const uint8_t lh_unwind_return_column = 16; /* System V ABI, figure 3.36 */

const bool lh_unwind_has_frame_records = false;
const bool lh_unwind_has_link = false; /* a call stores the return address */

struct row {
    unw_regnum_t number;
    size_t offset; /* in struct lh_registers */
};

#define ROW(number, member)                                                                        \
    {                                                                                              \
        UNW_X86_64_##number, offsetof(struct lh_registers, member)                                 \
    }

/* System V ABI, figure 3.4; first those that lh_unwind_preserved() gives. */
static const struct row rows[] = {
    ROW(RBX, rbx), ROW(R12, r12), ROW(R13, r13), ROW(R14, r14),
    ROW(R15, r15), ROW(RBP, fp),  ROW(RSP, sp),  ROW(RIP, pc),
};

#define ROW_COUNT       (sizeof(rows) / sizeof(rows[0]))
#define PRESERVED_COUNT 5u

bool lh_unwind_register(const struct lh_registers *registers, unw_regnum_t number,
                        unw_word_t *value)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].number != number)
            continue;
        memcpy(value, (const char *)registers + rows[i].offset, sizeof(*value));
        return true;
    }
    return false;
}

static uint64_t register_or_0(unw_cursor_t *cursor, unw_regnum_t number)
{
    unw_word_t value;
    return unw_get_reg(cursor, number, &value) == 0 ? value : 0;
}

void lh_unwind_preserved(unw_cursor_t *cursor, struct lh_registers *registers)
{
    for (size_t i = 0; i < PRESERVED_COUNT; i++) {
        uint64_t value = register_or_0(cursor, rows[i].number);
        memcpy((char *)registers + rows[i].offset, &value, sizeof(value));
    }
}

uint64_t lh_unwind_frame_pointer(unw_cursor_t *cursor)
{
    return register_or_0(cursor, UNW_X86_64_RBP);
}

uint64_t lh_unwind_link(const struct lh_registers *registers)
{
    (void)registers;
    return 0;
}

uint64_t lh_unwind_plain_address(uint64_t word)
{
    return word;
}

/* mov $__NR_rt_sigreturn,%rax; syscall. */
bool lh_unwind_is_signal_return(const uint8_t code[LH_SIGNAL_RETURN_BYTES])
{
    static const uint8_t bytes[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};
    _Static_assert(sizeof(bytes) <= LH_SIGNAL_RETURN_BYTES, "it is read in one go");
    return memcmp(code, bytes, sizeof(bytes)) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* mov $NUMBER, %eax ... syscall: see cli/doctor/inline_calls.h. */
#include "cli/doctor/inline_calls.h"

#include <endian.h>
#include <string.h>

#define LOOK_BACK 48u /* bytes between the number and the instruction */

static void look_back(const uint8_t *code, size_t at, lh_inline_call_visit *visit, void *context)
{
    const uint8_t move_to_eax = 0xb8;
    for (size_t back = 5; back <= LOOK_BACK && back <= at; back++) {
        uint32_t number;
        if (code[at - back] != move_to_eax)
            continue;
        memcpy(&number, code + at - back + 1, sizeof(number));
        visit(context, le32toh(number));
    }
}

void lh_inline_calls(const uint8_t *code, size_t size, lh_inline_call_visit *visit, void *context)
{
    static const uint8_t instruction[] = {0x0f, 0x05}; /* syscall */
    const uint8_t *end = code + size;
    for (const uint8_t *at = code; at < end; at++) {
        at = memmem(at, (size_t)(end - at), instruction, sizeof(instruction));
        if (at == NULL)
            return;
        look_back(code, (size_t)(at - code), visit, context);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* mov x8, #NUMBER ... svc #0: see cli/doctor/inline_calls.h. */
#include "cli/doctor/inline_calls.h"

#include <endian.h>
#include <string.h>

#define INSTRUCTION sizeof(uint32_t)
#define LOOK_BACK   12u /* instructions between the number and the call */

static uint32_t instruction_at(const uint8_t *code, size_t at)
{
    uint32_t instruction;
    memcpy(&instruction, code + at, sizeof(instruction));
    return le32toh(instruction);
}

/* MOVZ with w8 or x8, not shifted: Arm ARM, C6.2.225. */
static void look_back(const uint8_t *code, size_t at, lh_inline_call_visit *visit, void *context)
{
    for (size_t i = 1; i <= LOOK_BACK && i * INSTRUCTION <= at; i++) {
        uint32_t instruction = instruction_at(code, at - i * INSTRUCTION);
        if ((instruction & 0x7fe0001f) == 0x52800008)
            visit(context, instruction >> 5 & 0xffff);
    }
}

void lh_inline_calls(const uint8_t *code, size_t size, lh_inline_call_visit *visit, void *context)
{
    const uint32_t svc = 0xd4000001;
    for (size_t at = 0; at + INSTRUCTION <= size; at += INSTRUCTION)
        if (instruction_at(code, at) == svc)
            look_back(code, at, visit, context);
}

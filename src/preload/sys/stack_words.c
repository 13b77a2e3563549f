/* SPDX-License-Identifier: Apache-2.0 */
/* Looking through a stack for return addresses. See stack_words.h. */
#include "preload/sys/stack_words.h"

#include "preload/sys/cpu.h"
#include "preload/sys/memory.h"

#define WORDS_AT_ONCE 64

bool lh_stack_words(uintptr_t from, size_t size, lh_stack_visit *visit, void *context)
{
    uintptr_t words[WORDS_AT_ONCE];
    from &= ~(sizeof(words[0]) - 1);
    for (size_t done = 0; done < size; done += sizeof(words)) {
        size_t wanted = size - done < sizeof(words) ? size - done : sizeof(words);
        size_t got = lh_memory_copy_self(words, from + done, wanted) / sizeof(words[0]);
        for (size_t i = 0; i < got; i++)
            if (visit(context, from + done + i * sizeof(words[0]), words[i]))
                return true;
        if (got < WORDS_AT_ONCE)
            return false;
    }
    return false;
}

bool lh_is_after_call(uintptr_t address)
{
    unsigned char code[LH_CPU_CALL_BYTES];
    return lh_memory_read_self(code, address - sizeof(code), sizeof(code)) == 0 &&
           lh_cpu_ends_in_call(code);
}

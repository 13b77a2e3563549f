/* SPDX-License-Identifier: Apache-2.0 */
/* Which function runs a thread's loop. See chain.h: raw system calls, no malloc, no locks, little
 * stack. */
#include "preload/state/chain.h"

#include <stddef.h>

#include "preload/sys/cpu.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/sys/stack_words.h"

#define NOTE_BYTES (16u * 1024)        /* of a stack, from the park on */
#define CODE_REACH (64u * 1024 * 1024) /* of one file's code, from the call of the park on */

static bool is_return_address(uintptr_t word, uintptr_t site)
{
    uintptr_t distance = word > site ? word - site : site - word;
    return distance < CODE_REACH && lh_is_after_call(word);
}

struct notes {
    struct lh_slot *slot;
    uintptr_t site;
};

static bool note_word(void *context, uintptr_t at, uintptr_t word)
{
    const struct notes *notes = context;
    struct lh_slot *slot = notes->slot;
    word = lh_cpu_plain_address(word);
    if (is_return_address(word, notes->site))
        slot->chain[slot->chain_length++] = (struct lh_return){at, word};
    return slot->chain_length == LH_CHAIN;
}

void lh_chain_note(struct lh_slot *slot, uintptr_t frame, uintptr_t site)
{
    struct notes notes = {slot, site};
    slot->chain_length = 0;
    slot->loop = (struct lh_loop_function){0};
    uintptr_t left = lh_cpu_thread_pointer() - frame;
    lh_stack_words(frame, left < NOTE_BYTES ? left : NOTE_BYTES, note_word, &notes);
}

static bool is_there(const struct lh_return *entry)
{
    uintptr_t word;
    return lh_memory_read_self(&word, entry->at, sizeof(word)) == 0 &&
           lh_cpu_plain_address(word) == entry->to;
}

struct lh_loop_function lh_chain_loop(const struct lh_slot *slot)
{
    const struct lh_return *chain = slot->chain;
    uint32_t length = slot->chain_length;
    uint32_t first = length;
    while (first > 0 && is_there(&chain[first - 1]))
        first--;
    if (first == 0 || first == length)
        return (struct lh_loop_function){0};
    return (struct lh_loop_function){chain[first].at, chain[first].to, chain[first - 1].to};
}

struct search {
    const struct lh_loop_function *loop;
    bool seen;
};

/* It must not be the outermost one, to which all threads return that begin in the same way. */
static bool is_below(void *context, uintptr_t at, uintptr_t word)
{
    struct search *search = context;
    (void)at;
    word = lh_cpu_plain_address(word);
    if (lh_chain_is_of(search->loop, word))
        search->seen = true;
    else if (search->seen)
        return is_return_address(word, search->loop->into);
    return false;
}

bool lh_chain_is_below(uint32_t tid, uintptr_t base, const struct lh_loop_function *loop)
{
    struct lh_thread_wait wait;
    if (loop->at == 0 || !lh_proc_thread_wait(tid, &wait) || wait.number < 0 || base <= wait.sp ||
        base - wait.sp > LH_STACK_SEARCH_BYTES)
        return false;
    return lh_stack_words(wait.sp, base - wait.sp, is_below, &(struct search){loop, false});
}

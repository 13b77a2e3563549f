/* SPDX-License-Identifier: Apache-2.0 */
/* The PyThreadStates of one thread, from the interpreter's own lists.
 *
 * Runs on the program's threads and on the watchdog, while other threads may change the lists: no
 * lock is taken, the number of steps is bounded, and a list that does not have the state we came
 * from is not believed. */
#include "preload/python/states.h"

#include <stdbool.h>

#define STEPS_MAX 1024u /* interpreters and threads that are looked at */

struct search {
    const struct lh_view *view;
    const struct lh_python_offsets *at;
    uintptr_t thread_id; /* pthread_self() */
    uintptr_t *states;
    uint32_t count;
    uint32_t left; /* steps */
};

static uintptr_t read_word(const struct search *search, uintptr_t address)
{
    uintptr_t word;
    return lh_view_read(search->view, &word, address, sizeof(word)) == 0 ? word : 0;
}

static void search_threads(struct search *search, uintptr_t interpreter)
{
    const struct lh_python_offsets *at = search->at;
    uintptr_t thread = read_word(search, interpreter + at->interpreter_threads);
    for (; thread != 0 && search->left > 0; search->left--) {
        if (read_word(search, thread + at->thread_id) == search->thread_id &&
            search->count < LH_PYTHON_STATES_MAX)
            search->states[search->count++] = thread;
        thread = read_word(search, thread + at->thread_next);
    }
}

static bool has(const struct search *search, uintptr_t state)
{
    for (uint32_t i = 0; i < search->count; i++)
        if (search->states[i] == state)
            return true;
    return false;
}

uint32_t lh_python_states(const struct lh_python_layout *layout, const struct lh_view *view,
                          uintptr_t thread_state, uintptr_t states[LH_PYTHON_STATES_MAX])
{
    const struct lh_python_offsets *at = &layout->at;
    struct search search = {.view = view, .at = at, .states = states, .left = STEPS_MAX};
    states[0] = thread_state;
    if (layout->runtime == 0 || at->runtime_interpreters == 0)
        return 1;
    uintptr_t interpreter = read_word(&search, layout->runtime + at->runtime_interpreters);
    if (interpreter == 0 || read_word(&search, interpreter + at->interpreter_next) == 0)
        return 1;
    search.thread_id = read_word(&search, thread_state + at->thread_id);
    for (; interpreter != 0 && search.left > 0; search.left--) {
        search_threads(&search, interpreter);
        interpreter = read_word(&search, interpreter + at->interpreter_next);
        if (search.left == 0)
            break; /* search_threads() used them up */
    }
    if (has(&search, thread_state))
        return search.count;
    states[0] = thread_state;
    return 1;
}

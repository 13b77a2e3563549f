/* SPDX-License-Identifier: Apache-2.0 */
/* The function that runs a loop. See home.h. Runs in the collector. */
#include "collect/stack/home.h"

#include <stddef.h>
#include <string.h>

/* Names as they are shown, up to their parameters. */
static const struct known {
    const char *function;
    enum lh_home_role role;
} functions[] = {
    {"uv_run", LH_ROLE_TURNS},
    {"event_base_loop", LH_ROLE_TURNS},
    {"ev_run", LH_ROLE_TURNS},
    {"event_base_dispatch", LH_ROLE_RUNS},
    {"g_main_loop_run", LH_ROLE_RUNS},
    {"g_application_run", LH_ROLE_RUNS},
    {"QEventLoop::exec", LH_ROLE_RUNS},
    {"Py_RunMain", LH_ROLE_CALLS_MAIN},
    {"main", LH_ROLE_MAIN},
};

enum lh_home_role lh_home_role_of(const char *function)
{
    if (function == NULL)
        return LH_ROLE_NONE;
    size_t length = strcspn(function, "(");
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strlen(functions[i].function) == length &&
            strncmp(functions[i].function, function, length) == 0)
            return functions[i].role;
    return LH_ROLE_NONE;
}

/* Where the function of this frame will return to, and where that is written. */
static bool find_return(const struct lh_record *record, const struct lh_native_frame *caller,
                        struct lh_home_frame *found)
{
    uint64_t word;
    *found = (struct lh_home_frame){caller->sp - sizeof(word), caller->pc};
    return lh_stack_word(record, found->at, &word) && word == caller->pc;
}

/* Handlers may run loops of their own: the outermost one is meant. */
static uint32_t find_runner(const enum lh_home_role *roles, uint32_t count, enum lh_home_kind *kind)
{
    uint32_t runner = 0;
    *kind = LH_HOME_GUESSED;
    for (uint32_t i = 0; i < count; i++) {
        if (roles[i] != LH_ROLE_TURNS && roles[i] != LH_ROLE_RUNS)
            continue;
        *kind = roles[i] == LH_ROLE_RUNS ? LH_HOME_RUNS : LH_HOME_TURNS;
        runner = i;
    }
    return runner;
}

void lh_home_fill(struct lh_home *home, const struct lh_record *record,
                  const struct lh_native_frame *frames, const enum lh_home_role *roles,
                  uint32_t count)
{
    enum lh_home_kind kind;
    uint32_t first = find_runner(roles, count, &kind);
    bool has_main = false;
    home->kind = kind;
    home->count = 0;
    for (uint32_t i = first; i + 1 < count && !has_main; i++) {
        struct lh_home_frame found;
        bool made = roles[i] == LH_ROLE_MADE || roles[i + 1] == LH_ROLE_MADE;
        if (made || !find_return(record, &frames[i + 1], &found))
            break;
        if (home->count < LH_HOME_FRAMES)
            home->count++;
        home->frames[home->count - 1] = found; /* of what does not fit in, the outermost */
        has_main = roles[i] == LH_ROLE_MAIN || roles[i + 1] == LH_ROLE_CALLS_MAIN;
    }
    home->main = has_main ? home->count - 1 : home->count;
}

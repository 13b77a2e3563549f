/* SPDX-License-Identifier: Apache-2.0 */
/* The call table as data. Runs anywhere; only reads constants. */
#include "common/calls.h"

#include "common/call_columns.h"
#include "common/call_ids.h"

_Static_assert(LH_CALL_COUNT <= LH_CALLS_MAX, "more rows than LH_CALLS_MAX: raise it");

/* A row names its rule; the rule's words are looked up at compile time. */
#define RULE(name, words) static const char rule_##name[] = words;
#include "calls.def"

#define SYMBOL_OLDER(symbol, version) , #symbol "@" version,
#define NAME_AS(name)                 , #name,
#define KIND_OPERAND(kind, ...)       , LH_OPERAND_##kind,
#define STRICT_WAITS(rule, ...)       , rule_##rule,

static const struct lh_call_info calls[LH_CALL_COUNT] = {
#define CALL(row, in, ret, params, args, ...)                                                      \
    [LH_CALL_##row] = {                                                                            \
        .symbol = LH_COLUMN(SYMBOL, #row, __VA_ARGS__),                                            \
        .canonical = LH_COLUMN(NAME, #row, __VA_ARGS__),                                           \
        .group = LH_GROUP_##in,                                                                    \
        .operand = LH_COLUMN(KIND, LH_OPERAND_NONE, __VA_ARGS__),                                  \
        .strict = LH_COLUMN(STRICT, rule_always, __VA_ARGS__),                                     \
    },
#include "calls.def"
};

static const char *const group_names[LH_GROUP_COUNT] = {
    [LH_GROUP_SLEEP] = "sleep", [LH_GROUP_NETWORK] = "network", [LH_GROUP_DNS] = "dns",
    [LH_GROUP_FILE] = "file",   [LH_GROUP_LOCK] = "lock",       [LH_GROUP_PROCESS] = "process",
    [LH_GROUP_WAIT] = "wait",   [LH_GROUP_OTHER] = "other",
};

uint32_t lh_call_count(void)
{
    return LH_CALL_COUNT;
}

const struct lh_call_info *lh_call_info(uint32_t call)
{
    return &calls[call];
}

const char *lh_group_name(enum lh_group group)
{
    return group_names[group];
}

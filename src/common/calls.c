/* The call table as data. Runs anywhere; only reads constants. */
#include "common/calls.h"

/* A row names its rule; the rule's words are looked up at compile time. */
#define RULE(name, doc) static const char rule_##name[] = doc;
#include "calls.def"

static const struct lh_call_info calls[LH_CALL_COUNT] = {
#define CALL(symbol, canonical, group, subject, subject_expr, fails, rule, ...)                    \
    [LH_CALL_##symbol] = {#symbol, #canonical, LH_GROUP_##group, LH_SUBJECT_##subject, rule_##rule},
#define CALL_OLDER(row, symbol, canonical, group, subject, subject_expr, fails, rule, rule_args,   \
                   version, ...)                                                                   \
    [LH_CALL_##row] = {#symbol "@" version, #canonical, LH_GROUP_##group, LH_SUBJECT_##subject,    \
                       rule_##rule},
#include "calls.def"
};

static const char *const group_names[LH_GROUP_COUNT] = {
    [LH_GROUP_SLEEP] = "sleep", [LH_GROUP_NETWORK] = "network", [LH_GROUP_DNS] = "dns",
    [LH_GROUP_FILE] = "file",   [LH_GROUP_LOCK] = "lock",       [LH_GROUP_PROCESS] = "process",
    [LH_GROUP_WAIT] = "wait",   [LH_GROUP_OTHER] = "other",
};

const struct lh_call_info *lh_call_info(uint32_t call)
{
    return &calls[call];
}

const char *lh_group_name(enum lh_group group)
{
    return group_names[group];
}

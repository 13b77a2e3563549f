/* SPDX-License-Identifier: Apache-2.0 */
/* loophound calls: the table of calls, for people. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "common/calls.h"

struct widths {
    int symbol;
    int canonical;
    int group;
};

static const struct lh_call_info heading = {.symbol = "SYMBOL", .canonical = "REPORTED AS"};

static void widen(int *width, const char *text)
{
    int length = (int)strlen(text);
    if (length > *width)
        *width = length;
}

static struct widths measure(void)
{
    struct widths widths = {0};
    widen(&widths.symbol, heading.symbol);
    widen(&widths.canonical, heading.canonical);
    widen(&widths.group, "GROUP");
    for (uint32_t call = 0; call < lh_call_count(); call++) {
        const struct lh_call_info *info = lh_call_info(call);
        widen(&widths.symbol, info->symbol);
        widen(&widths.canonical, info->canonical);
        widen(&widths.group, lh_group_name(info->group));
    }
    return widths;
}

static void print_row(const struct widths *widths, const char *symbol, const char *canonical,
                      const char *group, const char *strict)
{
    printf("%-*s  %-*s  %-*s  %s\n", widths->symbol, symbol, widths->canonical, canonical,
           widths->group, group, strict);
}

int lh_cmd_calls(int argc, char **argv)
{
    int status = lh_no_arguments(argc, argv);
    if (status != 0)
        return status < 0 ? 0 : status;
    struct widths widths = measure();
    print_row(&widths, heading.symbol, heading.canonical, "GROUP", "IN STRICT MODE IT COUNTS WHEN");
    for (uint32_t call = 0; call < lh_call_count(); call++) {
        const struct lh_call_info *info = lh_call_info(call);
        print_row(&widths, info->symbol, info->canonical, lh_group_name(info->group), info->strict);
    }
    return 0;
}

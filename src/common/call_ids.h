/* SPDX-License-Identifier: Apache-2.0 */
/* The number of each call that can be reported, LH_CALL_<row>. A new row changes them, so only
 * those include this who mean certain calls: the wrappers, the table itself, and tests. Everybody
 * else has lh_call_info() and lh_call_count(). */
#ifndef LH_COMMON_CALL_IDS_H
#define LH_COMMON_CALL_IDS_H

enum lh_call {
#define CALL(row, ...) LH_CALL_##row,
#include "calls.def"
    LH_CALL_COUNT
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in what a user wrote. Any thread; no malloc, no stdio, no locale. */
#ifndef LH_COMMON_NUMBER_H
#define LH_COMMON_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

static inline bool lh_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits up to `most`. Returns where they end, or NULL: there are none, or it is more. */
const char *lh_number_read(const char *text, uint64_t most, uint64_t *number);

/* The same in bytes, with a unit behind them: none, K, M, G, or these with iB. */
const char *lh_size_read(const char *text, uint64_t most, uint64_t *bytes);

/* A duration: 100ms, 1.5s, 500us; a bare number is ms. Digits below a nanosecond are cut. Returns
 * 0, -EINVAL, or -ERANGE: more than an hour. */
int lh_duration_read(const char *text, uint64_t *ns);

#endif

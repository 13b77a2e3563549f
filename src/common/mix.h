/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers made one: what two tables of the library are looked up by. */
#ifndef LH_COMMON_MIX_H
#define LH_COMMON_MIX_H

#include <stdint.h>

/* Takes `more` into `sum`: each bit of either changes about half of the result's (the finalizer of
 * MurmurHash3). Never 0. */
static inline uint64_t lh_mix(uint64_t sum, uint64_t more)
{
    uint64_t mixed = sum * 0x9e3779b97f4a7c15ULL + more;
    mixed = (mixed ^ mixed >> 33) * 0xff51afd7ed558ccdULL;
    mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53ULL;
    mixed ^= mixed >> 33;
    return mixed != 0 ? mixed : 1;
}

#endif

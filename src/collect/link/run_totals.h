/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs of one run come to, as plain data. */
#ifndef LH_COLLECT_LINK_RUN_TOTALS_H
#define LH_COLLECT_LINK_RUN_TOTALS_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/noise.h"

/* Sums over all processes seen so far. */
struct lh_run_totals {
    uint64_t processes; /* that said they carry the library */
    uint64_t loops;
    uint64_t blocks;
    uint64_t stalls;
    uint64_t dropped;
    _Atomic uint64_t quiet[LH_NOISE_COUNT]; /* as in struct lh_totals */
};

#endif

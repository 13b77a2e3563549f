/* SPDX-License-Identifier: Apache-2.0 */
/* What was decided on the reports of strict mode: their places may be met again.
 *
 * Used by the thread of one ring. */
#ifndef LH_COLLECT_REPORT_RULINGS_H
#define LH_COLLECT_REPORT_RULINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/noise.h"

struct lh_new_place;

struct lh_ruling {
    uint64_t id; /* of the report */
    uint32_t call;
    uint32_t group;
    bool suppressed;
    bool known;
    enum lh_noise noise;        /* LH_NOISE_NONE: it was told, or a rule keeps it quiet */
    struct lh_new_place *place; /* of the judge; NULL: it is not new */
};

/* All zeroes: empty. */
struct lh_rulings {
    struct lh_ruling *rows; /* `room` of them, those with an id are in use */
    uint32_t room;          /* a power of two, or 0 */
    uint32_t count;
};

void lh_rulings_free(struct lh_rulings *rulings);

/* Remembers it, unless there is no memory or there are too many. */
void lh_rulings_add(struct lh_rulings *rulings, const struct lh_ruling *ruling);

/* NULL: nothing is remembered of this id. */
const struct lh_ruling *lh_rulings_find(const struct lh_rulings *rulings, uint64_t id);

#endif

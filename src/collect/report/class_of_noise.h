/* SPDX-License-Identifier: Apache-2.0 */
/* Of which class of noise is a call that was told: by what the library knows, or by a function of
 * machine code, the rows NATIVE of src/noise.def.
 *
 * Collector, any thread. */
#ifndef LH_COLLECT_REPORT_CLASS_OF_NOISE_H
#define LH_COLLECT_REPORT_CLASS_OF_NOISE_H

#include "common/event.h"
#include "common/options.h"

/* Sets `noise` and `noise_is_on` of a report that has its stack: of a call in strict mode. */
void lh_noise_take(struct lh_report *report, const struct lh_options *options);

/* The class of a call that was made here, innermost frame first; LH_NOISE_NONE: it is of none. Only
 * the machine code that called it counts, not what a script called. */
enum lh_noise lh_noise_of_native(const char *call, const struct lh_frame *frames, uint32_t count);

#endif

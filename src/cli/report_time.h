/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as people and events write them. Main thread. */
#ifndef LH_CLI_REPORT_TIME_H
#define LH_CLI_REPORT_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 3339, also without the time of day, its seconds, or the zone, which is UTC then; or how long
 * before now: 90s, 10min, 2h, 1d. In us since 1970. False: it is none. */
bool lh_time_parse(const char *text, int64_t *us);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Units of time in nanoseconds; signed, as differences of times are. */
#ifndef LH_COMMON_UNITS_H
#define LH_COMMON_UNITS_H

#include <stdint.h>

#define LH_NS_PER_US   INT64_C(1000)
#define LH_NS_PER_MS   INT64_C(1000000)
#define LH_NS_PER_S    INT64_C(1000000000)
#define LH_NS_PER_HOUR (3600 * LH_NS_PER_S)

#endif

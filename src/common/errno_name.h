/* SPDX-License-Identifier: Apache-2.0 */
/* Names of error numbers: errno(3). Any thread, also in the watchdog. */
#ifndef LH_COMMON_ERRNO_NAME_H
#define LH_COMMON_ERRNO_NAME_H

/* "ECONNREFUSED" for 111; NULL for 0 and unknown numbers. */
const char *lh_errno_name(int error);

#endif

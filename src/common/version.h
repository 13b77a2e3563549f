/* SPDX-License-Identifier: Apache-2.0 */
/* The version of everything that is built from this tree. */
#ifndef LH_COMMON_VERSION_H
#define LH_COMMON_VERSION_H

#define LH_VERSION "0.1.0"

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Which versions of V8 the library knows: the rows of src/preload/v8/v8_offsets.def. */
#ifndef LH_CLI_DOCTOR_KNOWN_V8S_H
#define LH_CLI_DOCTOR_KNOWN_V8S_H

#include <stdbool.h>
#include <stdint.h>

/* 1002 is 10.2. */
bool lh_v8_is_known(uint32_t version);

#endif

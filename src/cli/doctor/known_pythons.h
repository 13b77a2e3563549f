/* SPDX-License-Identifier: Apache-2.0 */
/* Which versions of CPython the library reads: the rows of src/preload/python/offsets.def. */
#ifndef LH_CLI_DOCTOR_KNOWN_PYTHONS_H
#define LH_CLI_DOCTOR_KNOWN_PYTHONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `hex` is a PY_VERSION_HEX, of which the first two numbers count. */
bool lh_python_is_known(uint32_t hex);

/* "3.11.2", or "3.11" where the rest is not known; "" for 0. */
void lh_python_text(uint32_t hex, char *text, size_t size);

/* "3.8 to 3.15" */
void lh_python_range(char *text, size_t size);

#endif

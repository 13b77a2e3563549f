/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that try something very often: in an emulated machine (scripts/arm_tests.py), where
 * that takes minutes of all tests', they do it less often. */
#ifndef LH_TESTS_UNIT_ROUNDS_H
#define LH_TESTS_UNIT_ROUNDS_H

#include <stdlib.h>
#include <string.h>

static inline int rounds(int on_real_machines)
{
    const char *emulated = getenv("LOOPHOUND_TEST_EMULATED");
    return emulated != NULL && strcmp(emulated, "1") == 0 ? on_real_machines / 10
                                                          : on_real_machines;
}

#endif

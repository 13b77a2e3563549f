/* SPDX-License-Identifier: Apache-2.0 */
/* For what ThreadSanitizer itself does not bear: the test is skipped there, and counted as that. */
#ifndef LH_TESTS_UNIT_THREAD_SANITIZER_H
#define LH_TESTS_UNIT_THREAD_SANITIZER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline void skip_under_thread_sanitizer(void)
{
#ifdef LH_THREAD_SANITIZER /* by the Makefile: compilers have no common name for it */
    skip();
#endif
}

#endif

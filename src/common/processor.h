/* SPDX-License-Identifier: Apache-2.0 */
/* The processor this is built for, as plain data: which registers a stack is unwound from, and how
 * programs for it are told. A port: ARCHITECTURE.md, "A processor". */
#ifndef LH_COMMON_PROCESSOR_H
#define LH_COMMON_PROCESSOR_H

#if defined(__x86_64__)
#include "common/x86_64/processor.h"
#elif defined(__aarch64__)
#include "common/aarch64/processor.h"
#else
#error "loophound is written for x86-64 and 64-bit Arm"
#endif

#endif

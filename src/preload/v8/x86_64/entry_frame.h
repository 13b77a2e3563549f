/* SPDX-License-Identifier: Apache-2.0 */
/* x86-64: see preload/v8/entry_frame.h, by which it is included. */
#ifndef LH_PRELOAD_V8_X86_64_ENTRY_FRAME_H
#define LH_PRELOAD_V8_X86_64_ENTRY_FRAME_H

/* Behind the registers that C++ wants back. */
#define LH_V8_SAVED_EXIT_WORDS (-8)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* 64-bit Arm: see preload/v8/entry_frame.h, by which it is included. */
#ifndef LH_PRELOAD_V8_AARCH64_ENTRY_FRAME_H
#define LH_PRELOAD_V8_AARCH64_ENTRY_FRAME_H

/* The registers that C++ wants back are further out. */
#define LH_V8_SAVED_EXIT_WORDS (-3)

#endif

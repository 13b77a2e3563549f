/* SPDX-License-Identifier: Apache-2.0 */
/* Where V8's entry frame, at which C++ calls JavaScript, keeps the exit frame that was noted before
 * it: LH_V8_SAVED_EXIT_WORDS, from its frame pointer on. V8: EntryFrameConstants,
 * kNextExitFrameFPOffset in src/execution/<processor>/frame-constants-<processor>.h; it has been
 * the same since V8 9. */
#ifndef LH_PRELOAD_V8_ENTRY_FRAME_H
#define LH_PRELOAD_V8_ENTRY_FRAME_H

#ifdef __aarch64__
#include "preload/v8/aarch64/entry_frame.h"
#else
#include "preload/v8/x86_64/entry_frame.h"
#endif

#endif

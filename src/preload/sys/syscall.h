/* SPDX-License-Identifier: Apache-2.0 */
/* Raw system calls. Any thread, also the watchdog, which has no libc thread-local storage.
 *
 * libc's syscall(2) stores into errno, which is thread-local: these return the kernel's own answer
 * instead, a negative error number on failure. They are also no cancellation points, and no
 * wrapper of ours sees them. */
#ifndef LH_PRELOAD_SYS_SYSCALL_H
#define LH_PRELOAD_SYS_SYSCALL_H

#include "common/linux_compat.h"

#if defined(__x86_64__)
#include "preload/sys/x86_64/syscall.h"
#elif defined(__aarch64__)
#include "preload/sys/aarch64/syscall.h"
#endif

#endif

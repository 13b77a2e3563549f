/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of Linux that the headers of an older system lack, each with the version that brought it.
 * What is built there runs on later kernels too; on earlier ones the kernel answers ENOSYS or
 * EINVAL as ever. From 424 on a system call has the same number on every processor.
 *
 * include/uapi/asm-generic/unistd.h, linux/futex.h, linux/io_uring.h of Linux; plain data. */
#ifndef LH_COMMON_LINUX_COMPAT_H
#define LH_COMMON_LINUX_COMPAT_H

#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>

#ifndef SYS_close_range
#define SYS_close_range 436 /* 5.9 */
#endif
#ifndef SYS_openat2
#define SYS_openat2 437 /* 5.6 */
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438 /* 5.6 */
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441 /* 5.11 */
#endif

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2) /* 5.11 */
#endif

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13 /* 5.14 */
#endif

#ifndef IORING_ENTER_REGISTERED_RING
#define IORING_ENTER_REGISTERED_RING (1U << 4) /* 5.18 */
#endif

#endif

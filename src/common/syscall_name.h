/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the system calls that wait: syscalls(2). Any thread, also in the watchdog. */
#ifndef LH_COMMON_SYSCALL_NAME_H
#define LH_COMMON_SYSCALL_NAME_H

#include <stdbool.h>
#include <stdint.h>

/* "read" for 0; NULL where it is not one that waits, or not known. */
const char *lh_syscall_name(int32_t number);

/* Does it wait for what an epoll set watches: epoll_wait(2)? */
bool lh_is_epoll_wait(int64_t number);

#endif

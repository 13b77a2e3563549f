/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of system calls: seccomp(2). One that kills for a call of ours would kill the program, so
 * such a process is not watched. Runs on the program's threads. */
#ifndef LH_PRELOAD_PROCESS_SECCOMP_H
#define LH_PRELOAD_PROCESS_SECCOMP_H

#include <stdbool.h>

/* Is this thread under no filter, or under one that lets us make our system calls, be it in vain?
 * Tried out in a child, once in a process. */
bool lh_seccomp_lets_us_be(void);

/* Before the program puts itself under a filter by this system call: tries it out in a child.
 * False: that did not survive, and this process can be watched no longer. */
bool lh_seccomp_bears(long number, long a, long b, long c, long d, long e);

#endif

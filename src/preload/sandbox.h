/* Filters of system calls: seccomp(2). One that kills for a call of ours would kill the program, so
 * such a process is not watched. Runs on the program's threads. */
#ifndef LH_PRELOAD_SANDBOX_H
#define LH_PRELOAD_SANDBOX_H

#include <stdbool.h>

/* Is this thread under no filter, or under one that lets us make our system calls, be it in vain?
 * Tried out in a child, once in a process. */
bool lh_sandbox_lets_us_be(void);

/* Before the program puts itself under a filter by this system call: tries it out in a child, and
 * ends the watching of this process when that does not survive. */
void lh_sandbox_before(long number, long a, long b, long c, long d, long e);

#endif

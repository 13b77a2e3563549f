/* SPDX-License-Identifier: Apache-2.0 */
/* The wrappers. Nothing here is called but from our constructor; programs call them by libc's
 * names. */
#ifndef LH_PRELOAD_WRAP_WRAPPERS_H
#define LH_PRELOAD_WRAP_WRAPPERS_H

#include <stdbool.h>

/* Looks up every libc function behind a wrapper. */
void lh_wrappers_resolve(void);

/* Makes each wrapped call of a thread that is no loop thread ask whether it is one, or no longer:
 * see state/meet.h. Runs on the watchdog. */
void lh_wrappers_ask(bool on);

/* The same two for syscall(2), whose wrapper is wrap_syscall.c; called by those. */
void lh_wrap_syscall_resolve(void);
void lh_wrap_syscall_ask(bool on);

/* The same for pthread_create(3), whose wrapper is wrap_thread.c. */
void lh_wrap_thread_resolve(void);

/* The same for clock_gettime(2), whose wrapper is wrap_clock.c. */
void lh_wrap_clock_resolve(void);

#endif

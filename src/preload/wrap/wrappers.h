/* SPDX-License-Identifier: Apache-2.0 */
/* The wrappers. Nothing here is called but from our constructor; programs call them by libc's
 * names. */
#ifndef LH_PRELOAD_WRAP_WRAPPERS_H
#define LH_PRELOAD_WRAP_WRAPPERS_H

#include <stdbool.h>

/* Makes sure that each libc function behind a wrapper can be looked up at its first call, which may
 * come in a signal handler; looks them up where that cannot be. */
void lh_wrappers_init(void);

/* Makes each wrapped call of a thread that is no loop thread ask whether it is one, or no longer:
 * see state/meet.h. Runs on the watchdog. */
void lh_wrappers_ask(bool on);

/* The same for syscall(2), whose wrapper is wrap_syscall.c; called by that. */
void lh_wrap_syscall_ask(bool on);

#endif

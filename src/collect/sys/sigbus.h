/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are cut short while the collector has them mapped. */
#ifndef LH_COLLECT_SYS_SIGBUS_H
#define LH_COLLECT_SYS_SIGBUS_H

/* From now on a look at what is no longer in a mapped file finds zeros, where it would have ended
 * the process (SIGBUS: mmap(2)). For the threads that leave SIGBUS unblocked. Any thread, any
 * number of times. */
void lh_sigbus_guard(void);

#endif

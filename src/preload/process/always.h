/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the rules that begin with `!`. On the program's threads, once, in our set-up. */
#ifndef LH_PRELOAD_PROCESS_ALWAYS_H
#define LH_PRELOAD_PROCESS_ALWAYS_H

/* From the files and the variable that the options name. What is wrong with them is the collector's
 * to say; here, as there, no rule of a file with a fault is used. */
void lh_always_init(void);

#endif

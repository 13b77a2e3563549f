/* SPDX-License-Identifier: Apache-2.0 */
/* Which run it is. Any thread of the collector. */
#ifndef LH_COLLECT_SYS_RUN_ID_H
#define LH_COLLECT_SYS_RUN_ID_H

/* Random, the same for all that this collector writes: 16 hexadecimal digits. "": the kernel gave
 * nothing random. */
const char *lh_run_id(void);

#endif

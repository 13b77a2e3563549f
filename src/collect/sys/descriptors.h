/* SPDX-License-Identifier: Apache-2.0 */
/* How many descriptors the collector may have. Its driving thread. */
#ifndef LH_COLLECT_SYS_DESCRIPTORS_H
#define LH_COLLECT_SYS_DESCRIPTORS_H

/* As many as the hard limit allows: each process that is watched takes a few, and each file whose
 * names are read two. */
void lh_allow_more_descriptors(void);

#endif

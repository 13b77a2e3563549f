/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out what this process image is. */
#ifndef LH_PRELOAD_PROCESS_IMAGE_H
#define LH_PRELOAD_PROCESS_IMAGE_H

/* Once, in our set-up: options from the environment, LOOPHOUND_FOLLOW, the state's memory. Fills in
 * lh_image, lh_options and lh_process. getenv(3), setenv(3), readlink(2): libc's own. */
void lh_image_init(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Whose files are read. Any thread of the collector. */
#ifndef LH_COLLECT_SYS_OTHER_USER_H
#define LH_COLLECT_SYS_OTHER_USER_H

#include <stdbool.h>

/* Has this thread the rights of another user's program? What is in that one's files is not for
 * whoever reads the reports. */
bool lh_is_other_user(void);

#endif

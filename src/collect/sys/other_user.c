/* SPDX-License-Identifier: Apache-2.0 */
/* Whose files are read. See other_user.h. */
#include "collect/sys/other_user.h"

#include <sys/fsuid.h>
#include <unistd.h>

/* -1 changes nothing, and says what is in force (setfsuid(2)). */
bool lh_is_other_user(void)
{
    return (uid_t)setfsuid((uid_t)-1) != geteuid();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See descriptors.h. */
#include "collect/sys/descriptors.h"

#include <sys/resource.h>

void lh_allow_more_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

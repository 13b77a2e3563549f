/* SPDX-License-Identifier: Apache-2.0 */
/* Which names of threads more than one thread has. See thread_names.h. */
#include "collect/sink/thread_names.h"

#include <string.h>

static bool same_name(const char *a, const char *b)
{
    return strncmp(a, b, LH_THREAD_NAME) == 0;
}

bool lh_thread_name_is_shared(struct lh_thread_names *names, uint32_t tid, const char *name)
{
    uint32_t own = LH_THREADS_REMEMBERED;
    bool shared = false;
    for (uint32_t i = 0; i < LH_THREADS_REMEMBERED; i++) {
        if (names->threads[i].tid == tid)
            own = i;
        else if (names->threads[i].tid != 0 && same_name(names->threads[i].name, name))
            shared = true;
    }
    if (own == LH_THREADS_REMEMBERED)
        own = names->next++ % LH_THREADS_REMEMBERED;
    names->threads[own].tid = tid;
    memcpy(names->threads[own].name, name, strnlen(name, LH_THREAD_NAME - 1));
    names->threads[own].name[strnlen(name, LH_THREAD_NAME - 1)] = '\0';
    return shared;
}

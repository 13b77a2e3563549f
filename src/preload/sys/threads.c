/* SPDX-License-Identifier: Apache-2.0 */
/* See threads.h. Runs on the program's threads; no malloc, no stdio, no locks but at the first call
 * (symbols.h). */
#include "preload/sys/threads.h"

#include <stdatomic.h>

#include "preload/sys/libc.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"

/* lh_<name> begins as first_<name>, which looks the function up and, once there is one, stays out
 * of the way. */
#define LH_THREAD_CALL(name, none, params, args)                                                   \
    static int first_##name params                                                                 \
    {                                                                                              \
        int(*real) params = (int(*) params)lh_real(#name, "");                                     \
        if (!lh_libc_has((void *)real))                                                            \
            return none;                                                                           \
        atomic_store_explicit(&lh_##name, real, memory_order_relaxed);                             \
        return real args;                                                                          \
    }                                                                                              \
    int(*_Atomic lh_##name) params = first_##name;
LH_THREAD_CALLS(LH_THREAD_CALL)

/* In struct pthread, which begins where pthread_self(3) points to. The number has stood there since
 * glibc 2.0, in a place that differs. */
#define TID_FIRST 256u
#define TID_END   1024u
static uint32_t tid_offset;

void lh_thread_tid_init(void)
{
    const int32_t tid = (int32_t)lh_syscall0(SYS_gettid);
    int32_t words[(TID_END - TID_FIRST) / sizeof(int32_t)];
    if (lh_memory_read_self(words, (uintptr_t)pthread_self() + TID_FIRST, sizeof(words)) != 0)
        return;
    for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]) && tid_offset == 0; i++)
        if (words[i] == tid)
            tid_offset = TID_FIRST + i * (uint32_t)sizeof(int32_t);
}

int32_t lh_thread_tid(uintptr_t thread)
{
    int32_t tid = 0;
    if (tid_offset == 0 || lh_memory_read_self(&tid, thread + tid_offset, sizeof(tid)) != 0)
        return 0;
    return tid > 0 ? tid : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that wait for each other. See cycle.h. */
#include "preload/watchdog/cycle.h"

#include "preload/python/interpreter.h"
#include "preload/python/threads.h"
#include "preload/sys/memory.h"
#include "preload/sys/proc.h"
#include "preload/sys/syscall.h"

#define CHAIN_MAX 16 /* waiting threads that are followed */

/* glibc's struct __pthread_mutex_s: __lock, __count, __owner; struct __pthread_rwlock_arch_t: six
 * words, then __cur_writer (bits/struct_mutex.h, bits/struct_rwlock.h of x86). Both are 0 while
 * there is none. */
#define MUTEX_OWNER   8
#define RWLOCK_WRITER 24

static uint32_t owner_at(uintptr_t address)
{
    uint32_t tid = 0;
    return lh_memory_read_self(&tid, address, sizeof(tid)) == 0 ? tid : 0;
}

uint32_t lh_mutex_owner(uintptr_t mutex)
{
    return owner_at(mutex + MUTEX_OWNER);
}

uint32_t lh_rwlock_owner(uintptr_t lock)
{
    return owner_at(lock + RWLOCK_WRITER);
}

bool lh_thread_is_ours(uint32_t tid)
{
    return tid != 0 && lh_syscall3(SYS_tgkill, lh_syscall0(SYS_getpid), tid, 0) == 0;
}

static struct lh_waiting_thread find_within(const struct lh_waiting_thread *waiting,
                                            uintptr_t object)
{
    struct lh_python_thread threads[LH_PYTHON_THREADS_MAX];
    uint32_t count = lh_python_threads(waiting->python_thread, threads, LH_PYTHON_THREADS_MAX);
    for (uint32_t i = 0; i < count; i++)
        if (lh_python_thread_holds(lh_memory_read_self, threads[i].state, object) ==
            LH_PYTHON_HOLDS_WITH)
            return (struct lh_waiting_thread){threads[i].tid, threads[i].state};
    return (struct lh_waiting_thread){0, 0};
}

/* Whom it waits for, if it does: tid 0: nobody that is known. A wait on a semaphore is on its
 * first word (sem_wait(3) of glibc). */
static struct lh_waiting_thread next(const struct lh_waiting_thread *thread)
{
    struct lh_thread_wait wait;
    struct lh_python_awaited awaited;
    if (!lh_proc_thread_wait(thread->tid, &wait) || wait.number != SYS_futex)
        return (struct lh_waiting_thread){0, 0};
    const struct lh_python_waiter waiter = {thread->python_thread, thread->tid, wait.first};
    if (thread->python_thread == 0 || !lh_python_awaited(lh_memory_read_self, &waiter, &awaited))
        return (struct lh_waiting_thread){lh_mutex_owner(wait.first), 0};
    if (awaited.kind == LH_AWAITED_LOCK)
        return find_within(thread, awaited.object);
    return (struct lh_waiting_thread){awaited.owner_tid, awaited.owner_state};
}

bool lh_waits_for(struct lh_waiting_thread thread, uint32_t waiting_tid)
{
    for (int i = 0; i < CHAIN_MAX && thread.tid != 0; i++) {
        if (thread.tid == waiting_tid)
            return true;
        thread = next(&thread);
    }
    return false;
}

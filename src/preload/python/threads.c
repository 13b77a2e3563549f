/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter's threads. lh_python_threads_learn() runs on the program's threads, the rest on
 * any, also the watchdog: no malloc, no libc state; no pointer is followed but by
 * lh_memory_read_self(). */
#include "preload/python/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"

#define THREADS_MAX 1000 /* looked at to find one */

/* Where prev, next and interp are, and what is before the GIL's condition. */
#define STATE_NEXT         8
#define STATE_INTERPRETER  16
#define BEFORE_LAST_HOLDER 24
#define BEFORE_LOCKED      16

#define STATE_FROM   (STATE_INTERPRETER + 8) /* of a PyThreadState: that may hold the pthread_t */
#define STATE_TO     1024
#define PTHREAD_FROM 192 /* of glibc's struct pthread: behind the least header (nptl/descr.h) … */
#define PTHREAD_TO   1216 /* … and far enough for the thread's number: 208 on Arm, 720 on x86-64 */
#define LEARNT_BYTES 1024 /* the larger of the two */

static _Atomic uint32_t tried; /* 1: there is no more to learn */

/* 0: not learnt. */
static _Atomic uint32_t pthread_at; /* in a PyThreadState */
static _Atomic uint32_t tid_at;     /* in struct pthread */

static uintptr_t word_at(uintptr_t address)
{
    uintptr_t word = 0;
    return lh_memory_read_self(&word, address, sizeof(word)) == 0 ? word : 0;
}

static uint32_t number_at(uintptr_t address)
{
    uint32_t number = 0;
    return lh_memory_read_self(&number, address, sizeof(number)) == 0 ? number : 0;
}

/* Where what is wanted stands in [from, to), in steps of its size. 0: nowhere. Read at once, for a
 * look at each would be a system call of its own: hundreds, as an asyncio program starts. */
static uint32_t find(uintptr_t base, uint32_t from, uint32_t to, const void *wanted, uint32_t size)
{
    char bytes[LEARNT_BYTES];
    size_t length = lh_memory_copy_self(bytes, base + from, to - from);
    for (uint32_t at = 0; at + size <= length; at += size)
        if (memcmp(bytes + at, wanted, size) == 0)
            return from + at;
    return 0;
}

void lh_python_threads_learn(uintptr_t thread_state)
{
    if (thread_state == 0 || atomic_load(&tried) != 0)
        return;
    uintptr_t self = (uintptr_t)pthread_self();
    uint32_t tid = (uint32_t)lh_syscall0(SYS_gettid);
    atomic_store(&tried, 1);
    uint32_t at = find(thread_state, STATE_FROM, STATE_TO, &self, sizeof(self));
    uint32_t number = find(self, PTHREAD_FROM, PTHREAD_TO, &tid, sizeof(tid));
    if (at == 0 || number == 0)
        return;
    atomic_store(&tid_at, number);
    atomic_store(&pthread_at, at);
}

static uint32_t tid_of(uintptr_t thread_state)
{
    uint32_t at = atomic_load(&pthread_at);
    uintptr_t thread = at != 0 ? word_at(thread_state + at) : 0;
    return thread != 0 ? number_at(thread + atomic_load(&tid_at)) : 0;
}

static uintptr_t find_along(uintptr_t state, uint32_t tid, uint32_t link)
{
    for (int i = 0; i < THREADS_MAX && state != 0; i++) {
        if (tid_of(state) == tid)
            return state;
        state = word_at(state + link);
    }
    return 0;
}

uintptr_t lh_python_thread_find(uintptr_t from, uint32_t tid)
{
    uintptr_t found = find_along(from, tid, STATE_NEXT);
    return found != 0 ? found : find_along(from, tid, 0);
}

uint32_t lh_python_thread_of(uintptr_t from, uintptr_t thread, uintptr_t *state)
{
    uint32_t at = atomic_load(&pthread_at);
    uint32_t tid = at != 0 && thread != 0 ? number_at(thread + atomic_load(&tid_at)) : 0;
    *state = tid != 0 ? lh_python_thread_find(from, tid) : 0;
    return *state != 0 && word_at(*state + at) == thread ? tid : 0;
}

uint32_t lh_python_threads(uintptr_t from, struct lh_python_thread *threads, uint32_t most)
{
    uint32_t count = 0;
    uintptr_t state = from;
    uintptr_t before;
    for (int i = 0; i < THREADS_MAX && (before = word_at(state)) != 0; i++)
        state = before;
    for (int i = 0; i < THREADS_MAX && count < most && state != 0; i++) {
        uint32_t tid = tid_of(state);
        if (tid != 0)
            threads[count++] = (struct lh_python_thread){state, tid};
        state = word_at(state + STATE_NEXT);
    }
    return count;
}

uint32_t lh_python_gil_holder(uintptr_t condition, uintptr_t thread_state, uintptr_t *holder)
{
    *holder = word_at(condition - BEFORE_LAST_HOLDER);
    bool other = *holder != 0 && *holder != thread_state &&
                 number_at(condition - BEFORE_LOCKED) == 1 &&
                 word_at(*holder + STATE_INTERPRETER) == word_at(thread_state + STATE_INTERPRETER);
    return other ? tid_of(*holder) : 0;
}

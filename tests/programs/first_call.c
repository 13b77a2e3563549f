/* SPDX-License-Identifier: Apache-2.0 */
/* A call that is made for the first time while another thread has the dynamic linker's lock, as in
 * a signal handler that comes in the middle of dl_iterate_phdr(3).
 *
 *   first_call
 *
 * Ends with 0 when the call has returned, with 1 when it waited for the lock. */
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/file.h>

#include "small_loop.h"

#define LIMIT_S 20

static _Atomic bool has_lock, has_called;
static bool in_time;

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void *call(void *unused)
{
    while (!atomic_load(&has_lock))
        sched_yield();
    (void)flock(-1, LOCK_SH);
    atomic_store(&has_called, true);
    return unused;
}

static int wait_for_call(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)info, (void)size, (void)unused;
    atomic_store(&has_lock, true);
    for (time_t end = now_s() + LIMIT_S; !atomic_load(&has_called) && now_s() < end;)
        sched_yield();
    in_time = atomic_load(&has_called); /* before the lock is given back */
    return 1;
}

int main(void)
{
    pthread_t thread;
    (void)now_s(); /* has been called */
    check(pthread_create(&thread, NULL, call, NULL) == 0);
    dl_iterate_phdr(wait_for_call, NULL);
    pthread_join(thread, NULL);
    return in_time ? 0 : 1;
}

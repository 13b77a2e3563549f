/* SPDX-License-Identifier: Apache-2.0 */
/* Locks with a deadline, read-write and spin locks, barriers, C11 threads: see scenario.h. */
#include <threads.h>

#include "scenario.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static mtx_t c11_mutex;
static cnd_t c11_condition;
static struct timespec until;
static pthread_t thread;
static thrd_t c11_thread;
static sem_t taken, let_go;
static bool woken;

/* A thread that takes everything and lets go of it when told to. */
static void *hold(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    pthread_rwlock_wrlock(&lock);
    pthread_spin_lock(&spin);
    mtx_lock(&c11_mutex);
    sem_post(&taken);
    sem_wait(&let_go);
    pthread_mutex_unlock(&mutex);
    pthread_rwlock_unlock(&lock);
    pthread_spin_unlock(&spin);
    mtx_unlock(&c11_mutex);
    return NULL;
}

static int hold_c11(void *unused)
{
    (void)unused;
    sem_wait(&let_go);
    return 0;
}

static struct timespec in_a_minute(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    at.tv_sec += 60;
    return at;
}

static void make_free(void)
{
    until = in_a_minute(CLOCK_REALTIME);
    CHECK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE) == 0);
    CHECK(mtx_init(&c11_mutex, mtx_timed) == thrd_success);
    CHECK(cnd_init(&c11_condition) == thrd_success);
    sem_init(&taken, 0, 0);
    sem_init(&let_go, 0, 0);
}

static void make_taken(void)
{
    make_free();
    CHECK(pthread_create(&thread, NULL, hold, NULL) == 0);
    sem_wait(&taken);
}

static void make_taken_monotonic(void)
{
    make_taken();
    until = in_a_minute(CLOCK_MONOTONIC);
}

static void make_taken_long_ago(void)
{
    make_taken();
    until = (struct timespec){1, 0};
}

static void make_c11_thread(void)
{
    make_free();
    CHECK(thrd_create(&c11_thread, hold_c11, NULL) == thrd_success);
}

/* The loop thread holds the mutex from before it is one. */
static void make_c11_condition(void)
{
    make_free();
    mtx_lock(&c11_mutex);
}

static void make_barrier(void)
{
    CHECK(pthread_barrier_init(&barrier, NULL, 2) == 0);
}

static void release(void)
{
    sem_post(&let_go);
}

static void reach_barrier(void)
{
    pthread_barrier_wait(&barrier);
}

static void signal_c11_condition(void)
{
    woken = true;
    cnd_signal(&c11_condition);
}

static long call_cnd_wait(void)
{
    int code = thrd_success;
    while (!woken && code == thrd_success)
        code = cnd_wait(&c11_condition, &c11_mutex);
    return code;
}

static long call_thrd_sleep(void)
{
    const struct timespec time = {0, delay_ms * 1000000L};
    return thrd_sleep(&time, NULL);
}

static long call_thrd_sleep_zero(void)
{
    const struct timespec time = {0, 0};
    return thrd_sleep(&time, NULL);
}

static long call_mutex_timedlock(void)
{
    return pthread_mutex_timedlock(&mutex, &until);
}

static long call_mutex_clocklock(void)
{
    return pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until);
}

static long call_rwlock_rdlock(void)
{
    return pthread_rwlock_rdlock(&lock);
}

static long call_rwlock_timedrdlock(void)
{
    return pthread_rwlock_timedrdlock(&lock, &until);
}

static long call_rwlock_clockrdlock(void)
{
    return pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &until);
}

static long call_rwlock_wrlock(void)
{
    return pthread_rwlock_wrlock(&lock);
}

static long call_rwlock_timedwrlock(void)
{
    return pthread_rwlock_timedwrlock(&lock, &until);
}

static long call_rwlock_clockwrlock(void)
{
    return pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &until);
}

static long call_spin_lock(void)
{
    return pthread_spin_lock(&spin);
}

static long call_mtx_lock(void)
{
    return mtx_lock(&c11_mutex);
}

static long call_mtx_timedlock(void)
{
    return mtx_timedlock(&c11_mutex, &until);
}

static long call_barrier_wait(void)
{
    return pthread_barrier_wait(&barrier);
}

static long call_timedjoin_np(void)
{
    return pthread_timedjoin_np(thread, NULL, &until);
}

static long call_clockjoin_np(void)
{
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until);
}

static long call_thrd_join(void)
{
    return thrd_join(c11_thread, NULL);
}

static long call_cnd_timedwait(void)
{
    until = deadline(CLOCK_REALTIME); /* ahead when the call begins */
    return cnd_timedwait(&c11_condition, &c11_mutex, &until);
}

static const struct scenario rows[] = {
    {"pthread_mutex_timedlock", make_taken, call_mutex_timedlock, release, make_free,
     call_mutex_timedlock, 0},
    {"pthread_mutex_clocklock", make_taken_monotonic, call_mutex_clocklock, release, make_free,
     call_mutex_clocklock, 0},
    {"pthread_rwlock_rdlock", make_taken, call_rwlock_rdlock, release, make_free,
     call_rwlock_rdlock, 0},
    {"pthread_rwlock_timedrdlock", make_taken, call_rwlock_timedrdlock, release, make_free,
     call_rwlock_timedrdlock, 0},
    {"pthread_rwlock_clockrdlock", make_taken_monotonic, call_rwlock_clockrdlock, release,
     make_free, call_rwlock_clockrdlock, 0},
    {"pthread_rwlock_wrlock", make_taken, call_rwlock_wrlock, release, make_free,
     call_rwlock_wrlock, 0},
    {"pthread_rwlock_timedwrlock", make_taken, call_rwlock_timedwrlock, release, make_free,
     call_rwlock_timedwrlock, 0},
    {"pthread_rwlock_clockwrlock", make_taken_monotonic, call_rwlock_clockwrlock, release,
     make_free, call_rwlock_clockwrlock, 0},
    {"pthread_spin_lock", make_taken, call_spin_lock, release, make_free, call_spin_lock, 0},
    {"mtx_lock", make_taken, call_mtx_lock, release, make_free, call_mtx_lock, 0},
    {"mtx_timedlock", make_taken, call_mtx_timedlock, release, make_free, call_mtx_timedlock, 0},
    {"pthread_barrier_wait", make_barrier, call_barrier_wait, reach_barrier, NULL, NULL, 0},
    {"pthread_timedjoin_np", make_taken, call_timedjoin_np, release, make_taken_long_ago,
     call_timedjoin_np, 0},
    {"pthread_clockjoin_np", make_taken_monotonic, call_clockjoin_np, release, make_taken_long_ago,
     call_clockjoin_np, 0},
    {"thrd_join", make_c11_thread, call_thrd_join, release, NULL, NULL, 0},
    {"cnd_timedwait", make_c11_condition, call_cnd_timedwait, NULL, NULL, NULL, 0},
    {"cnd_wait", make_c11_condition, call_cnd_wait, signal_c11_condition, NULL, NULL, 0},
    {"thrd_sleep", NULL, call_thrd_sleep, NULL, NULL, call_thrd_sleep_zero, 0},
};

SCENARIO_MAIN(rows)

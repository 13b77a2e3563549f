/* SPDX-License-Identifier: Apache-2.0 */
/* Locks, threads and name look-ups: see scenario.h. A deadline is taken in the call: it has to be
 * ahead when that begins. */
#include <netdb.h>

#include "processor.h"
#include "scenario.h"

static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static bool woken;
static pthread_t thread;
static sem_t taken;
static const char *host;

static void make_empty_semaphore(void)
{
    sem_init(&semaphore, 0, 0);
}

static void make_full_semaphore(void)
{
    sem_init(&semaphore, 0, 1);
}

static void post(void)
{
    sem_post(&semaphore);
}

static long call_sem_wait(void)
{
    return sem_wait(&semaphore);
}

static long call_sem_timedwait(void)
{
    const struct timespec until = deadline(CLOCK_REALTIME);
    return sem_timedwait(&semaphore, &until);
}

static long call_sem_clockwait(void)
{
    const struct timespec until = deadline(CLOCK_MONOTONIC);
    return sem_clockwait(&semaphore, CLOCK_MONOTONIC, &until);
}

/* Conditions: the loop thread holds the mutex from before it is one. */
static void hold_mutex(void)
{
    pthread_mutex_lock(&mutex);
}

static void signal_condition(void)
{
    woken = true;
    pthread_cond_signal(&condition);
}

static long call_cond_wait(void)
{
    int code = 0;
    while (!woken && code == 0)
        code = pthread_cond_wait(&condition, &mutex);
    return code;
}

static long call_cond_timedwait(void)
{
    const struct timespec until = deadline(CLOCK_REALTIME);
    return pthread_cond_timedwait(&condition, &mutex, &until);
}

static long call_cond_clockwait(void)
{
    const struct timespec until = deadline(CLOCK_MONOTONIC);
    return pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until);
}

static void *hold_contended(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&contended);
    sem_post(&taken);
    sem_wait(&semaphore);
    pthread_mutex_unlock(&contended);
    return NULL;
}

static void make_contended(void)
{
    sem_init(&semaphore, 0, 0);
    sem_init(&taken, 0, 0);
    CHECK(pthread_create(&thread, NULL, hold_contended, NULL) == 0);
    sem_wait(&taken);
}

static long call_mutex_lock(void)
{
    return pthread_mutex_lock(&contended);
}

static void *wait_for_post(void *unused)
{
    (void)unused;
    sem_wait(&semaphore);
    return NULL;
}

static void make_thread(void)
{
    sem_init(&semaphore, 0, 0);
    CHECK(pthread_create(&thread, NULL, wait_for_post, NULL) == 0);
}

static long call_join(void)
{
    return pthread_join(thread, NULL);
}

static void name_host(void)
{
    host = "localhost";
}

static void number_host(void)
{
    host = "127.0.0.1";
}

static long call_getaddrinfo(void)
{
    struct addrinfo *found = NULL;
    return getaddrinfo(host, "80", NULL, &found);
}

#ifdef HAS_OLDER_LIBC
/* Conditions of programs that were linked before glibc 2.3.2: another structure, a pointer. */
struct old_condition {
    void *pointer;
    char beyond[sizeof(pthread_cond_t)]; /* must stay as it is */
};
extern int old_cond_wait(struct old_condition *cond, pthread_mutex_t *mutex);
extern int old_cond_timedwait(struct old_condition *cond, pthread_mutex_t *mutex,
                              const struct timespec *until);
extern int old_cond_signal(struct old_condition *cond);
__asm__(".symver old_cond_wait, pthread_cond_wait@GLIBC_2.2.5");
__asm__(".symver old_cond_timedwait, pthread_cond_timedwait@GLIBC_2.2.5");
__asm__(".symver old_cond_signal, pthread_cond_signal@GLIBC_2.2.5");

static struct old_condition old_condition;

static void signal_old_condition(void)
{
    woken = true;
    old_cond_signal(&old_condition);
}

/* -1: the condition was taken for one of today's. */
static int checked(int code)
{
    static const char untouched[sizeof(old_condition.beyond)];
    return memcmp(old_condition.beyond, untouched, sizeof(untouched)) == 0 ? code : -1;
}

static long call_old_cond_wait(void)
{
    int code = 0;
    while (!woken && code == 0)
        code = old_cond_wait(&old_condition, &mutex);
    return checked(code);
}

static long call_old_cond_timedwait(void)
{
    const struct timespec until = deadline(CLOCK_REALTIME);
    return checked(old_cond_timedwait(&old_condition, &mutex, &until));
}
#endif

static const struct scenario rows[] = {
    {"sem_wait", make_empty_semaphore, call_sem_wait, post, make_full_semaphore, call_sem_wait, 0},
    {"sem_timedwait", make_empty_semaphore, call_sem_timedwait, NULL, make_full_semaphore,
     call_sem_timedwait, 0},
    {"sem_clockwait", make_empty_semaphore, call_sem_clockwait, NULL, make_full_semaphore,
     call_sem_clockwait, 0},
    {"pthread_cond_wait", hold_mutex, call_cond_wait, signal_condition, NULL, NULL, 0},
    {"pthread_cond_timedwait", hold_mutex, call_cond_timedwait, NULL, NULL, NULL, 0},
#ifdef HAS_OLDER_LIBC
    {"pthread_cond_wait_2_2_5", hold_mutex, call_old_cond_wait, signal_old_condition, NULL, NULL,
     0},
    {"pthread_cond_timedwait_2_2_5", hold_mutex, call_old_cond_timedwait, NULL, NULL, NULL, 0},
#endif
    {"pthread_cond_clockwait", hold_mutex, call_cond_clockwait, NULL, NULL, NULL, 0},
    {"pthread_mutex_lock", make_contended, call_mutex_lock, post, NULL, call_mutex_lock, 0},
    {"pthread_join", make_thread, call_join, post, NULL, NULL, 0},
    {"getaddrinfo", name_host, call_getaddrinfo, NULL, number_host, call_getaddrinfo, SYS_openat},
};

SCENARIO_MAIN(rows)

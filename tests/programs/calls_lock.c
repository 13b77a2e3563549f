/* Locks, threads and name look-ups: see scenario.h. */
#include <netdb.h>

#include "scenario.h"

static sem_t semaphore;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static struct timespec until;
static bool woken;
static pthread_t thread;
static sem_t taken;
static const char *host;

static void make_empty_semaphore(void)
{
    sem_init(&semaphore, 0, 0);
    until = deadline(CLOCK_REALTIME);
}

static void make_empty_semaphore_monotonic(void)
{
    sem_init(&semaphore, 0, 0);
    until = deadline(CLOCK_MONOTONIC);
}

static void make_full_semaphore(void)
{
    sem_init(&semaphore, 0, 1);
    until = deadline(CLOCK_MONOTONIC);
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
    return sem_timedwait(&semaphore, &until);
}

static long call_sem_clockwait(void)
{
    return sem_clockwait(&semaphore, CLOCK_MONOTONIC, &until);
}

/* Conditions: the loop thread holds the mutex from before it is one. */
static void hold_mutex(void)
{
    pthread_mutex_lock(&mutex);
    until = deadline(CLOCK_REALTIME);
}

static void hold_mutex_monotonic(void)
{
    pthread_mutex_lock(&mutex);
    until = deadline(CLOCK_MONOTONIC);
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
    return pthread_cond_timedwait(&condition, &mutex, &until);
}

static long call_cond_clockwait(void)
{
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

static const struct scenario rows[] = {
    {"sem_wait", make_empty_semaphore, call_sem_wait, post, make_full_semaphore, call_sem_wait, 0},
    {"sem_timedwait", make_empty_semaphore, call_sem_timedwait, NULL, make_full_semaphore,
     call_sem_timedwait, 0},
    {"sem_clockwait", make_empty_semaphore_monotonic, call_sem_clockwait, NULL, make_full_semaphore,
     call_sem_clockwait, 0},
    {"pthread_cond_wait", hold_mutex, call_cond_wait, signal_condition, NULL, NULL, 0},
    {"pthread_cond_timedwait", hold_mutex, call_cond_timedwait, NULL, NULL, NULL, 0},
    {"pthread_cond_clockwait", hold_mutex_monotonic, call_cond_clockwait, NULL, NULL, NULL, 0},
    {"pthread_mutex_lock", make_contended, call_mutex_lock, post, NULL, call_mutex_lock, 0},
    {"pthread_join", make_thread, call_join, post, NULL, NULL, 0},
    {"getaddrinfo", name_host, call_getaddrinfo, NULL, number_host, call_getaddrinfo, SYS_openat},
};

SCENARIO_MAIN(rows)

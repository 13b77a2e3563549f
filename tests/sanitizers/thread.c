/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into what is built with SAN=thread. */
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#define NS_PER_S 1000000000LL

/* Read by ThreadSanitizer's runtime. The first report ends the program: the collector, which is
 * started with an empty environment, is to fail its test too. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "halt_on_error=1";
}

static int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ThreadSanitizer of clang 14 does not know this function, and would take all that a thread did for
 * unordered with what its joiner does. It does know the one that waits by the other clock. */
int pthread_clockjoin_np(pthread_t thread, void **result, clockid_t clock,
                         const struct timespec *deadline)
{
    int64_t left_ns = deadline->tv_sec * NS_PER_S + deadline->tv_nsec - now_ns(clock);
    int64_t end_ns = now_ns(CLOCK_REALTIME) + left_ns;
    const struct timespec end = {.tv_sec = end_ns / NS_PER_S, .tv_nsec = end_ns % NS_PER_S};
    return pthread_timedjoin_np(thread, result, &end);
}

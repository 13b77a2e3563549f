/* SPDX-License-Identifier: Apache-2.0 */
/* Captures where the memory that is read is spoilt: a part of the module for ctypes, see walk.c. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "preload/python/interpreter.h"

#define API __attribute__((visibility("default")))

enum { NO_MEMORY = -3 };

API long walk_fuzz(uintptr_t thread_state, uint64_t seed, long rounds);
API int walk_instants_start(uintptr_t thread_state, long interval_ns);
API long walk_instants_captures(void);
API long walk_instants_stop(long *frames);

static uint64_t fuzz_state;
static unsigned fuzz_rarity; /* one reading in so many is spoilt */
static uintptr_t fuzz_seen;  /* an address that was read before */

static struct lh_view_store stores[LH_VIEW_STORES];

static uint64_t fuzz_random(void)
{
    fuzz_state ^= fuzz_state << 13;
    fuzz_state ^= fuzz_state >> 7;
    fuzz_state ^= fuzz_state << 17;
    return fuzz_state;
}

static uint64_t fuzz_word(uint64_t word)
{
    switch (fuzz_random() % 8) {
    case 0:
        return fuzz_random();
    case 1:
        return word ^ (1ULL << (fuzz_random() % 64));
    case 2:
        return word + fuzz_random() % 4096 - 2048;
    case 3:
        return fuzz_seen;
    case 4:
        return UINT64_MAX - fuzz_random() % 256;
    case 5:
        return (uintptr_t)&fuzz_state;
    case 6:
        return 0;
    default:
        return fuzz_random() % 100000;
    }
}

static void fuzz_bytes(void *to, size_t size)
{
    if (size >= sizeof(uint64_t)) {
        char *place = (char *)to + fuzz_random() % (size / sizeof(uint64_t)) * sizeof(uint64_t);
        uint64_t word;
        memcpy(&word, place, sizeof(word));
        word = fuzz_word(word);
        memcpy(place, &word, sizeof(word));
    } else {
        ((char *)to)[fuzz_random() % size] ^= (char)fuzz_random();
    }
}

static int fuzz_read(void *to, uintptr_t address, size_t size)
{
    if (lh_memory_read_self(to, address, size) != 0)
        return -EFAULT;
    if (fuzz_random() % 4 == 0)
        fuzz_seen = address;
    if (fuzz_random() % fuzz_rarity != 0)
        return 0;
    fuzz_bytes(to, size);
    return fuzz_random() % 8 == 0 ? -EFAULT : 0;
}

/* The same for what is read at once, of which only some is looked at: each line more often. */
static size_t fuzz_parts(uint32_t tid, void *to, const struct iovec *parts, size_t count)
{
    size_t got = lh_memory_parts_self(tid, to, parts, count);
    fuzz_seen = (uintptr_t)parts[fuzz_random() % count].iov_base;
    for (size_t at = 0; at + LH_VIEW_LINE <= got; at += LH_VIEW_LINE / 8)
        if (fuzz_random() % fuzz_rarity == 0)
            fuzz_bytes((char *)to + at, LH_VIEW_LINE / 8);
    return fuzz_random() % (8 * fuzz_rarity) == 0 ? fuzz_random() % (got + 1) : got;
}

/* A record between two areas that nothing may write to. */
struct fenced {
    uint8_t before[4096];
    struct lh_record record;
    uint8_t after[4096];
};

static int fence_is_whole(const struct fenced *fenced)
{
    for (size_t i = 0; i < sizeof(fenced->before); i++)
        if (fenced->before[i] != 0xa5 || fenced->after[i] != 0xa5)
            return 0;
    const struct lh_record *record = &fenced->record;
    for (size_t i = 0; i < sizeof(record->stack); i++)
        if (record->stack[i] != 0)
            return 0;
    return record->stack_length == 0 && record->type == 0;
}

static struct fenced *make_fenced(uint64_t seed)
{
    struct fenced *fenced = malloc(sizeof(*fenced));
    if (fenced == NULL)
        return NULL;
    fuzz_state = seed * 2 + 1;
    memset(fenced->before, 0xa5, sizeof(fenced->before));
    memset(fenced->after, 0xa5, sizeof(fenced->after));
    return fenced;
}

/* Whatever it is, it is one of those there are. */
static void ask_what_it_waits_for(uintptr_t where, uintptr_t thread_state)
{
    struct lh_python_awaited awaited;
    const struct lh_python_waiter waiter = {where, (uint32_t)gettid(), fuzz_word(thread_state)};
    lh_python_awaited(fuzz_read, &waiter, &awaited);
    if (awaited.kind >= LH_AWAITED_COUNT ||
        lh_python_thread_holds(fuzz_read, where, awaited.object) > LH_PYTHON_HOLDS_WITH)
        abort();
}

/* One capture with spoilt memory and, every second time, a wrong thread state. Returns 1 when the
 * record is out of bounds. */
static long fuzz_once(struct fenced *fenced, uintptr_t thread_state, long round)
{
    uint32_t most = (uint32_t)(fuzz_random() % 200);
    uintptr_t where = round % 2 ? thread_state : fuzz_word(thread_state);
    memset(&fenced->record, 0, sizeof(fenced->record));
    fuzz_rarity = 2U << (fuzz_random() % 8);
    struct lh_view view = {.read = fuzz_read, .parts = fuzz_parts};
    if (fuzz_random() % 4 != 0)
        lh_view_open(&view, stores);
    lh_python_capture(&view, where, most, &fenced->record);
    lh_python_name_thread(&view, where, &fenced->record, fenced->record.thread);
    lh_view_close(&view);
    if (round % 8 < 2)
        ask_what_it_waits_for(where, thread_state);
    return !lh_record_check(&fenced->record) || fenced->record.python_count > most ||
           !fence_is_whole(fenced);
}

/* Returns how many records were out of bounds. */
long walk_fuzz(uintptr_t thread_state, uint64_t seed, long rounds)
{
    long bad = 0;
    struct fenced *fenced = make_fenced(seed);
    if (fenced == NULL)
        return NO_MEMORY;
    for (long i = 0; i < rounds; i++)
        bad += fuzz_once(fenced, thread_state, i);
    free(fenced);
    return bad;
}

/* The same from a signal handler, at whatever instant the signals of a timer come. It is set again
 * when a capture is done: however slow the machine, the program gets on. */
static struct {
    struct fenced *fenced;
    uintptr_t thread_state;
    timer_t timer;
    struct itimerspec next;
    long captures;
    long frames;
    long bad;
} instants;

static void capture_now(int signal)
{
    (void)signal;
    int saved_errno = errno;
    instants.bad += fuzz_once(instants.fenced, instants.thread_state, instants.captures);
    instants.frames += instants.fenced->record.python_count;
    instants.captures++;
    timer_settime(instants.timer, 0, &instants.next, NULL);
    errno = saved_errno;
}

int walk_instants_start(uintptr_t thread_state, long interval_ns)
{
    struct sigaction action = {.sa_handler = capture_now, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN};
    event._sigev_un._tid = gettid();
    instants.thread_state = thread_state;
    instants.next = (struct itimerspec){.it_value = {.tv_nsec = interval_ns}};
    instants.fenced = make_fenced((uint64_t)interval_ns);
    if (instants.fenced == NULL || sigaction(SIGRTMIN, &action, NULL) != 0 ||
        timer_create(CLOCK_MONOTONIC, &event, &instants.timer) != 0)
        return -1;
    return timer_settime(instants.timer, 0, &instants.next, NULL);
}

long walk_instants_captures(void)
{
    return instants.captures;
}

long walk_instants_stop(long *frames)
{
    timer_delete(instants.timer);
    free(instants.fenced);
    *frames = instants.frames;
    return instants.bad;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over JavaScript frames, preloaded into Node.js by itself: tests/node/test_walk.py builds
 * it from the library's own sources. A program's read of SPOILT bytes is where many walks are made
 * whose memory is not what it is; one of TIMED bytes, where good ones are timed. Prints JSON. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "preload/sys/memory.h"
#include "preload/v8/engine.h"

enum { SPOILT = 13, TIMED = 15 };
enum { FENCE = 4096, SEEN = 1024 };

/* What is written to, between areas that nothing may write to. */
static struct {
    uint8_t before[FENCE];
    struct lh_v8_scratch scratch[LH_V8_WALKERS];
    uint8_t between[FENCE];
    struct lh_record record;
    uint8_t after[FENCE];
} memory;

static struct lh_view_store stores[LH_VIEW_STORES];

static uint64_t state = 88172645463325252ULL;
static unsigned percent; /* of what is read, that is spoilt; 0: nothing */
static uintptr_t seen[SEEN];
static unsigned long reads;

static uint64_t some(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static uintptr_t spoilt(uintptr_t word)
{
    switch (some() % 6) {
    case 0:
        return word ^ 1ULL << some() % 64;
    case 1:
        return some();
    case 2:
        return seen[some() % SEEN]; /* a word from elsewhere */
    case 3:
        return (some() & 0x7fffffff) << 32; /* a small integer */
    case 4:
        return (some() % 64) << 32;
    default:
        return seen[some() % SEEN] + some() % 64 * 8;
    }
}

static void spoil_words(char *words, size_t count)
{
    uintptr_t word;
    memcpy(&seen[some() % SEEN], words + some() % count * sizeof(word), sizeof(word));
    for (int i = 0; i < 3 && some() % 100 < percent; i++) {
        char *place = words + some() % count * sizeof(word);
        memcpy(&word, place, sizeof(word));
        word = spoilt(word);
        memcpy(place, &word, sizeof(word));
    }
}

static int spoilt_read(void *to, uintptr_t address, size_t size)
{
    reads++;
    if (lh_memory_read_self(to, address, size) != 0)
        return -EFAULT;
    if (percent == 0 || size < sizeof(uintptr_t))
        return 0;
    spoil_words(to, size / sizeof(uintptr_t));
    return some() % 200 == 0 ? -EFAULT : 0;
}

/* The same for what is read at once: each line of it may be spoilt. */
static size_t spoilt_parts(uint32_t tid, void *to, const struct iovec *parts, size_t count)
{
    reads++;
    size_t got = lh_memory_parts_self(tid, to, parts, count);
    if (percent == 0)
        return got;
    for (size_t at = 0; at + LH_VIEW_LINE <= got; at += LH_VIEW_LINE)
        spoil_words((char *)to + at, LH_VIEW_LINE / sizeof(uintptr_t));
    return some() % 200 == 0 ? some() % (got + 1) : got;
}

/* Of this thread: another one may have the processor meanwhile. */
static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void fail(const char *why)
{
    dprintf(STDERR_FILENO, "walk: %s\n", why);
    _exit(3);
}

static void check_fences(void)
{
    for (int i = 0; i < FENCE; i++)
        if (memory.before[i] != 0xa5 || memory.between[i] != 0xa5 || memory.after[i] != 0xa5)
            fail("wrote beyond its memory");
    if (!lh_record_check(&memory.record))
        fail("left a record that no reader takes");
}

static struct lh_v8_thread wild(const struct lh_v8_thread *real, long round)
{
    struct lh_v8_thread thread = *real;
    if (round % 4 != 0)
        return thread;
    thread.isolate = round % 8 != 0 ? real->isolate : seen[some() % SEEN];
    thread.fp = round % 3 != 0 ? real->sp + some() % 8192 * 8 : (uintptr_t)some() >> 16;
    thread.pc = some() % 2 != 0 ? (uintptr_t)some() >> 17 : (uintptr_t)wild + some() % 100000;
    thread.sp = round % 16 != 0 ? real->sp : 0;
    return thread;
}

static void begin_record(void)
{
    memory.record.js_count = 0;
    memory.record.js_cut = 0;
    memory.record.strings_length = 0;
}

/* One walk; what it has done is told by the record. */
static int64_t walk(const struct lh_v8_thread *thread, bool has_store)
{
    struct lh_view view = {.read = spoilt_read, .parts = spoilt_parts};
    begin_record();
    reads = 0;
    int64_t begin = now_ns();
    if (has_store)
        lh_view_open(&view, stores);
    lh_v8_capture(&view, thread, memory.scratch, LH_JS_FRAMES, &memory.record);
    lh_view_close(&view);
    return now_ns() - begin;
}

static long rounds_wanted(void)
{
    const char *text = getenv("WALK_ROUNDS");
    return text != NULL ? atol(text) : 1000;
}

static void spoil(const struct lh_v8_thread *real)
{
    int64_t worst_ns = 0;
    unsigned long most_reads = 0;
    unsigned long frames = 0;
    for (long round = 0; round < rounds_wanted(); round++) {
        percent = 1 + (unsigned)(round % 30);
        const struct lh_v8_thread thread = wild(real, round);
        int64_t took_ns = walk(&thread, some() % 4 != 0);
        check_fences();
        frames += memory.record.js_count;
        worst_ns = took_ns > worst_ns ? took_ns : worst_ns;
        most_reads = reads > most_reads ? reads : most_reads;
    }
    percent = 0;
    printf("{\"frames\": %lu, \"worst_us\": %.0f, \"reads\": %lu}\n", frames,
           (double)worst_ns / 1000.0, most_reads);
}

static void time_walks(const struct lh_v8_thread *real)
{
    int64_t first_ns = walk(real, true);
    int64_t best_ns = first_ns;
    unsigned long first_reads = reads;
    for (long round = 0; round < rounds_wanted(); round++) {
        int64_t took_ns = walk(real, true);
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("{\"frames\": %u, \"first_us\": %.1f, \"best_us\": %.1f, \"reads\": %lu, "
           "\"cut\": %u}\n",
           memory.record.js_count, (double)first_ns / 1000.0, (double)best_ns / 1000.0, first_reads,
           memory.record.js_cut);
}

__attribute__((visibility("default"))) ssize_t read(int fd, void *to, size_t size)
{
    uintptr_t isolate = size == SPOILT || size == TIMED ? lh_v8_isolate() : 0;
    if (isolate != 0) {
        const struct lh_v8_thread thread = {.isolate = isolate,
                                            .sp = (uintptr_t)__builtin_frame_address(0)};
        if (size == SPOILT)
            spoil(&thread);
        else
            time_walks(&thread);
        fflush(stdout);
    }
    return syscall(SYS_read, fd, to, size);
}

__attribute__((constructor)) static void begin(void)
{
    memset(memory.before, 0xa5, FENCE);
    memset(memory.between, 0xa5, FENCE);
    memset(memory.after, 0xa5, FENCE);
    if (lh_v8_find() != 0)
        fail("V8 is not known");
}

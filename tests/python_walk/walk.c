/* SPDX-License-Identifier: Apache-2.0 */
/* The Python stack walk as a module for ctypes: tests/e2e/test_python_walk.py builds it from the
 * library's own sources and compares its answers with the interpreter's. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unwind.h>

#include "preload/python/interpreter.h"
#include "preload/python/threads.h"

#define API            __attribute__((visibility("default")))
#define EVAL_LOOPS_MAX 2048
#define SMALL_STACK    16384

/* What walk_capture() answers when the walk is wrong by itself. */
enum { BAD_RECORD = -1, BAD_BOUNDARY = -2, NO_MEMORY = -3 };

/* Where the compiler put the interpreter loop: the start of _PyEval_EvalFrameDefault, and of its
 * cold part, which has a frame description of its own, and no symbol in a stripped interpreter. */
static uintptr_t loop_parts[2];

/* As the library's captures see memory, each with a store of its own. */
static struct lh_view_store stores[LH_VIEW_STORES];

static struct lh_view take_view(void)
{
    struct lh_view view = {.read = lh_memory_read_self, .parts = lh_memory_parts_self};
    lh_view_open(&view, stores);
    return view;
}

static void capture(uintptr_t thread_state, uint32_t most, struct lh_record *record)
{
    struct lh_view view = take_view();
    lh_python_capture(&view, thread_state, most, record);
    lh_view_close(&view);
}

#define WALK_COSTS 1000 /* captures */

struct walk_costs {
    double first_us; /* of CPU time */
    double least_us;
    double median_us;
    long asked;  /* system calls of one that is repeated … */
    long pieces; /* … and pieces of memory that it reads with them */
};

struct eval_loops {
    int count;
    int open; /* 1: the high end of the last one is not known yet */
    uintptr_t low[EVAL_LOOPS_MAX];
    uintptr_t high[EVAL_LOOPS_MAX];
};

API int walk_find(void);
API const char *walk_problem(void);
API uintptr_t walk_thread_state(void);
API int walk_is_runtime_lock(uintptr_t address);
API int walk_capture(uint32_t most, char *text, size_t size, int *eval_loops);
API int walk_task(char *text, size_t size);
API int walk_thread_name(char *text, size_t size);
API int walk_race_start(uintptr_t thread_state);
API long walk_race_stop(long *captures);
API int walk_costs(struct walk_costs *costs);

int walk_find(void)
{
    int error = lh_python_find();
    lh_python_threads_learn(lh_python_thread_state());
    return error;
}

const char *walk_problem(void)
{
    return lh_python_problem();
}

uintptr_t walk_thread_state(void)
{
    return lh_python_thread_state();
}

int walk_is_runtime_lock(uintptr_t address)
{
    return lh_python_is_runtime_lock(address);
}

/* Notes where each eval loop's C stack frame is: [its stack pointer, its caller's). */
static _Unwind_Reason_Code note_eval_loop(struct _Unwind_Context *context, void *data)
{
    struct eval_loops *loops = data;
    uintptr_t sp = _Unwind_GetCFA(context);
    if (loops->open) {
        loops->high[loops->count++] = sp;
        loops->open = 0;
    }
    uintptr_t region = _Unwind_GetRegionStart(context);
    if ((region == loop_parts[0] || region == loop_parts[1]) && loops->count < EVAL_LOOPS_MAX) {
        loops->low[loops->count] = sp;
        loops->open = 1;
    }
    return _URC_NO_REASON;
}

struct search {
    uintptr_t address;
    uintptr_t region; /* of the C frame whose part of the stack `address` is in */
    uintptr_t last;
};

static _Unwind_Reason_Code find_region(struct _Unwind_Context *context, void *data)
{
    struct search *search = data;
    if (_Unwind_GetCFA(context) > search->address) {
        search->region = search->last;
        return _URC_END_OF_STACK;
    }
    search->last = _Unwind_GetRegionStart(context);
    return _URC_NO_REASON;
}

/* Learns the cold part from one boundary: from then on all of them must agree with it. */
static void learn_loop_parts(const struct lh_record *record)
{
    uint32_t i = 0;
    while (i < record->python_count && record->python[i].boundary == 0)
        i++;
    loop_parts[0] = (uintptr_t)dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault");
    if (loop_parts[1] != 0 || i == record->python_count)
        return;
    struct search search = {.address = record->python[i].boundary};
    _Unwind_Backtrace(find_region, &search);
    loop_parts[1] = search.region;
}

/* Does each boundary lie in its own eval loop, in the same order, and has each loop one? */
static int boundaries_are_right(const struct lh_record *record, uint32_t most,
                                const struct eval_loops *loops)
{
    int next = 0;
    if (record->python_loop.size != 0) /* 3.8 and 3.9: one for each frame, and no boundaries */
        return record->python_loop.start == loop_parts[0] &&
               (record->python_count == most || (int)record->python_count == loops->count);
    for (uint32_t i = 0; i < record->python_count; i++) {
        uint64_t boundary = record->python[i].boundary;
        if (boundary == 0)
            continue;
        if (next >= loops->count || boundary < loops->low[next] || boundary >= loops->high[next])
            return 0;
        next++;
    }
    return next == loops->count || record->python_count == most;
}

/* The calling thread's frames as "file \037 function \037 line \n"; *eval_loops is the number of C
 * frames of the interpreter loop. Returns the number of frames, or what is wrong. */
int walk_capture(uint32_t most, char *text, size_t size, int *eval_loops)
{
    struct lh_record *record = calloc(1, sizeof(*record));
    struct eval_loops *loops = calloc(1, sizeof(*loops));
    int result = NO_MEMORY;
    size_t used = 0;
    if (record == NULL || loops == NULL)
        goto out;
    capture(lh_python_thread_state(), most, record);
    learn_loop_parts(record);
    _Unwind_Backtrace(note_eval_loop, loops);
    *eval_loops = loops->count;
    result = BAD_RECORD;
    if (!lh_record_check(record))
        goto out;
    result = BAD_BOUNDARY;
    if (loops->count > 0 && !boundaries_are_right(record, most, loops))
        goto out;
    text[0] = '\0';
    for (uint32_t i = 0; i < record->python_count && used < size; i++) {
        const struct lh_python_frame *frame = &record->python[i];
        used += (size_t)snprintf(text + used, size - used, "%s\037%s\037%u\n",
                                 record->strings + frame->file, record->strings + frame->function,
                                 frame->line);
    }
    result = (int)record->python_count;
out:
    free(record);
    free(loops);
    return result;
}

/* The running task as "name \037 coroutine", a part being "?" when it is not known. Returns 1, or 0
 * when there is none, or what is wrong. */
int walk_task(char *text, size_t size)
{
    struct lh_record *record = calloc(1, sizeof(*record));
    int result = NO_MEMORY;
    if (record == NULL)
        return result;
    record->registers.sp = (uintptr_t)__builtin_frame_address(0);
    capture(lh_python_thread_state(), LH_PYTHON_FRAMES, record);
    const struct lh_python_task *task = &record->task;
    result = lh_record_check(record) ? task->has_name || task->has_coroutine : BAD_RECORD;
    snprintf(text, size, "%s\037%s", task->has_name ? record->strings + task->name : "?",
             task->has_coroutine ? record->strings + task->coroutine : "?");
    free(record);
    return result;
}

/* What threading calls the calling thread; "?": it is not known. Returns 0, or what is wrong. */
int walk_thread_name(char *text, size_t size)
{
    struct lh_record *record = calloc(1, sizeof(*record));
    if (record == NULL)
        return NO_MEMORY;
    struct lh_view view = take_view();
    strcpy(record->thread, "?");
    lh_python_name_thread(&view, lh_python_thread_state(), record, record->thread);
    lh_view_close(&view);
    int result = record->strings_length == 0 && lh_record_check(record) ? 0 : BAD_RECORD;
    snprintf(text, size, "%s", record->thread);
    free(record);
    return result;
}

static struct {
    pthread_t thread;
    uintptr_t thread_state;
    _Atomic int stop;
    long bad;
    long captures;
} race;

/* Captures another thread's stack while that thread runs: what the watchdog does, without its care.
 */
static void *run_race(void *unused)
{
    (void)unused;
    struct lh_record *record = calloc(1, sizeof(*record));
    while (record != NULL && !atomic_load(&race.stop)) {
        record->python_count = 0;
        record->strings_length = 0;
        capture(race.thread_state, 64, record);
        race.bad += !lh_record_check(record);
        race.captures++;
    }
    free(record);
    return NULL;
}

int walk_race_start(uintptr_t thread_state)
{
    pthread_attr_t small;
    race.thread_state = thread_state;
    race.bad = race.captures = 0;
    atomic_store(&race.stop, 0);
    pthread_attr_init(&small);
    int error = pthread_attr_setstacksize(&small, SMALL_STACK);
    if (error == 0)
        error = pthread_create(&race.thread, &small, run_race, NULL);
    pthread_attr_destroy(&small);
    return error;
}

long walk_race_stop(long *captures)
{
    atomic_store(&race.stop, 1);
    pthread_join(race.thread, NULL);
    *captures = race.captures;
    return race.bad;
}

static struct {
    long asked;  /* so often the kernel, … */
    long pieces; /* … for so many pieces of memory together */
} reads;

static int count_read(void *to, uintptr_t address, size_t size)
{
    reads.asked++;
    reads.pieces++;
    return lh_memory_read_self(to, address, size);
}

static size_t count_parts(uint32_t tid, void *to, const struct iovec *parts, size_t count)
{
    reads.asked++;
    reads.pieces += (long)count;
    return lh_memory_parts_self(tid, to, parts, count);
}

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare_costs(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* What captures of the calling thread cost it, one after the other. Returns how many frames it has.
 */
int walk_costs(struct walk_costs *costs)
{
    static double us[WALK_COSTS];
    struct lh_record *record = calloc(1, sizeof(*record));
    if (record == NULL)
        return NO_MEMORY;
    record->registers.sp = (uintptr_t)__builtin_frame_address(0);
    for (int i = 0; i < WALK_COSTS; i++) {
        double start = cpu_us();
        record->python_count = record->strings_length = 0;
        capture(lh_python_thread_state(), LH_PYTHON_FRAMES, record);
        us[i] = cpu_us() - start;
    }
    costs->first_us = us[0];
    qsort(us, WALK_COSTS, sizeof(us[0]), compare_costs);
    costs->least_us = us[0];
    costs->median_us = us[WALK_COSTS / 2];
    struct lh_view view = {.read = count_read, .parts = count_parts};
    reads.asked = reads.pieces = 0;
    lh_view_open(&view, stores);
    record->python_count = record->strings_length = 0;
    lh_python_capture(&view, lh_python_thread_state(), LH_PYTHON_FRAMES, record);
    lh_view_close(&view);
    costs->asked = reads.asked;
    costs->pieces = reads.pieces;
    int frames = (int)record->python_count;
    free(record);
    return frames;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture costs on the program's thread: registers and stack, and 16 Python frames more; and
 * what it costs to find that there is to be none.
 *
 * Python is the newest libpython that the loader finds; without one that part is left out, and
 * said. */
/* link: -ldl */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/call_ids.h"
#include "costs.h"
#include "preload/python/interpreter.h"
#include "preload/state/record.h"
#include "preload/strict/noise.h"

#define DEEP          (64u << 10)
#define PYTHON_FRAMES 16u
#define QUIET_AT_ONCE 20
#define NEWEST_MINOR  15
#define OLDEST_MINOR  8

static struct lh_record record;
static struct lh_view_store stores[LH_VIEW_STORES];

/* All that a report does on the program's thread, but for the ring. */
static void measure_fill(void)
{
    volatile char deep[DEEP]; /* so that there is a whole stack to copy */
    struct lh_call_copy copy = {.tid = 1};
    memset((char *)deep, 1, sizeof(deep));
    copy.registers.sp = (uintptr_t)__builtin_frame_address(0) - sizeof(deep);
    for (int i = 0; i < COSTS; i++) {
        double start = now_us();
        lh_record_begin_apart(&record, LH_EVENT_BLOCK, &copy, 0, true);
        costs_us[i] = now_us() - start;
    }
    if (record.stack_length != lh_options.stack_bytes)
        exit(1);
    tell_costs(FIGURE_capture_native, "");
}

/* Called by Python, with the GIL. */
static void measure_python(void)
{
    uintptr_t thread_state = lh_python_thread_state();
    for (int i = 0; i < COSTS; i++) {
        double start = now_us();
        struct lh_view view = {.read = lh_memory_read_self, .parts = lh_memory_parts_self};
        lh_view_open(&view, stores);
        record.python_count = record.strings_length = 0;
        lh_python_capture(&view, thread_state, PYTHON_FRAMES, &record);
        lh_view_close(&view);
        costs_us[i] = now_us() - start;
    }
    if (record.python_count != PYTHON_FRAMES)
        exit(1);
    tell_costs(FIGURE_capture_16_frames, "");
}

static void measure_quiet_way(const char *what, enum lh_noise (*find)(struct lh_slot *slot))
{
    static struct lh_slot slot;
    slot.python_thread = lh_python_thread_state();
    slot.call = LH_CALL_stat;
    for (int i = 0; i < COSTS; i++) {
        double start = now_us();
        for (int j = 0; j < QUIET_AT_ONCE; j++)
            if (find(&slot) != LH_NOISE_IMPORT)
                exit(1);
        costs_us[i] = (now_us() - start) / QUIET_AT_ONCE;
    }
    tell_costs(FIGURE_noise_look, what);
}

static enum lh_noise look_ahead(struct lh_slot *slot)
{
    return lh_noise_look_ahead(slot, LH_CALL_stat);
}

static enum lh_noise look_after(struct lh_slot *slot)
{
    return lh_noise_look(slot, 0).noise;
}

/* The decision about a call that is noise by the function that it was made in: before one that is
 * about a path, all there is to a quiet call; after another, all beside strict mode's own question.
 */
static void measure_quiet(void)
{
    static struct lh_process process = {.pid = 1};
    lh_process = &process; /* who looks ahead wants to know whose it is */
    measure_quiet_way("before the call", look_ahead);
    measure_quiet_way("after the call", look_after);
    lh_process = NULL;
}

static void *open_python(char *name, size_t size)
{
    void *python = NULL;
    for (int minor = NEWEST_MINOR; python == NULL && minor >= OLDEST_MINOR; minor--) {
        snprintf(name, size, "libpython3.%d.so.1.0", minor);
        python = dlopen(name, RTLD_NOW | RTLD_GLOBAL);
    }
    return python;
}

/* Functions of different names in one file, each calling the next. */
static void write_script(char *script, size_t size)
{
    int used = snprintf(script, size,
                        "import ctypes\nmeasure = ctypes.PYFUNCTYPE(None)(%zu)\n"
                        "def f%u():\n  measure()\n",
                        (size_t)measure_python, PYTHON_FRAMES);
    for (unsigned i = PYTHON_FRAMES; i > 0; i--)
        used += snprintf(script + used, size - (size_t)used, "def f%u():\n  f%u()\n", i - 1, i);
    used += snprintf(script + used, size - (size_t)used, "f0()\n");
    snprintf(script + used, size - (size_t)used,
             "quiet = ctypes.PYFUNCTYPE(None)(%zu)\n"
             "exec(compile('def look():\\n  quiet()', '<frozen importlib._bootstrap>', 'exec'))\n"
             "look()\n",
             (size_t)measure_quiet);
}

static int run_python(void)
{
    char name[64];
    char script[2048];
    void *python = open_python(name, sizeof(name));
    if (python == NULL) {
        puts("  no libpython3 here: Python frames are not measured");
        return 0;
    }
    void (*initialize)(int) = (void (*)(int))dlsym(python, "Py_InitializeEx");
    int (*run)(const char *) = (int (*)(const char *))dlsym(python, "PyRun_SimpleString");
    if (initialize == NULL || run == NULL)
        return 1;
    initialize(0);
    printf("%s\n", name);
    if (lh_python_find() != 0)
        return 1;
    write_script(script, sizeof(script));
    return run(script) != 0;
}

int main(void)
{
    lh_options_init(&lh_options);
    lh_options.stack_bytes = STACK_BYTES;
    puts("one capture on the program's thread");
    measure_fill();
    return run_python();
}

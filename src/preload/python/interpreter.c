/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter of this process, found once, and the stacks of its threads.
 *
 * lh_python_find() runs on the program's threads, where symbols may be looked up (sys/symbols.h).
 * All else also runs on the watchdog: no malloc, no stdio, no libc that may set errno, no
 * thread-local storage. */
#include "preload/python/interpreter.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "common/text.h"
#include "preload/python/library.h"
#include "preload/python/names.h"
#include "preload/python/offsets.h"
#include "preload/python/suspended.h"
#include "preload/python/task.h"
#include "preload/python/thread_name.h"
#include "preload/python/walk.h"

enum state { UNKNOWN, FILLING, FOUND };

struct interpreter {
    bool supported; /* is there a layout? */
    struct lh_python_layout layout;
    uintptr_t runtime; /* _PyRuntime */
    size_t runtime_size;
    void *(*thread_state)(void);
    char problem[96]; /* "" when all is well */
};

/* Where the interpreter's are: looked up together, once one is seen. */
struct symbols {
    const unsigned long *version;     /* Py_Version, new in 3.11 … */
    const char *(*get_version)(void); /* … and Py_GetVersion */
    int (*is_initialized)(void);
    void *(*thread_state)(void);
    const void *runtime;
    size_t runtime_size;
    const void *code_type;
    const void *string_type;
    const void *bytes_type;
    const void *eval_loop;
    size_t eval_loop_size;
};

/* Written by one thread while `state` is FILLING, and only read once it is FOUND. */
static struct interpreter interpreter;
static _Atomic int state;

/* The same; before FOUND there is none. */
static struct symbols symbols;
static _Atomic int symbols_state;

static const struct interpreter *found_interpreter(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) == FOUND ? &interpreter : NULL;
}

static uint32_t number_at(const char **text)
{
    uint32_t number = 0;
    while (**text >= '0' && **text <= '9' && number < 100)
        number = number * 10 + (uint32_t)(*(*text)++ - '0');
    return number;
}

/* 0x030b for 3.11. Py_Version is a PY_VERSION_HEX, new in 3.11; Py_GetVersion() says "3.10.13 (…".
 */
#define COUNTS_THREADS 0x30c /* 3.12 */

static uint32_t find_version(void)
{
    if (symbols.version != NULL)
        return (uint32_t)(*symbols.version >> 16);
    const char *text = symbols.get_version != NULL ? symbols.get_version() : "";
    uint32_t major = number_at(&text);
    if (*text == '.')
        text++;
    return major << 8 | number_at(&text);
}

static char *put_text(char *to, const char *text)
{
    size_t length = strlen(text);
    memcpy(to, text, length + 1);
    return to + length;
}

static char *put_number(char *to, uint32_t number)
{
    if (number >= 10)
        to = put_number(to, number / 10);
    *to = (char)('0' + number % 10);
    return to + 1;
}

static void put_version(struct lh_text *text, unsigned long hex)
{
    lh_text_u64(text, hex >> 24);
    lh_text_char(text, '.');
    lh_text_u64(text, hex >> 16 & 0xff);
    lh_text_char(text, '.');
    lh_text_u64(text, hex >> 8 & 0xff);
}

void lh_python_version(char *version, size_t size)
{
    struct lh_text text;
    lh_text_init(&text, version, size);
    if (!lh_python_is_loaded())
        return;
    if (symbols.version != NULL) {
        put_version(&text, *symbols.version);
        return;
    }
    const char *told = symbols.get_version != NULL ? symbols.get_version() : "";
    while (*told != '\0' && *told != ' ')
        lh_text_char(&text, *told++);
}

bool lh_python_counts_threads(void)
{
    return lh_python_is_loaded() && find_version() >= COUNTS_THREADS;
}

static void describe_problem(struct interpreter *found, uint32_t version)
{
    char *to = put_text(found->problem, "Python ");
    to = put_number(to, version >> 8);
    to = put_text(to, ".");
    to = put_number(to, version & 0xff);
    put_text(to, ": no Python frames, the layout of this build is not known");
}

static void find_layout(struct interpreter *found)
{
    struct lh_python_layout *layout = &found->layout;
    uint32_t version = find_version();
    layout->code_type = (uintptr_t)symbols.code_type;
    layout->string_type = (uintptr_t)symbols.string_type;
    layout->bytes_type = (uintptr_t)symbols.bytes_type;
    layout->runtime = found->runtime;
    layout->eval_loop =
        (struct lh_code_range){(uintptr_t)symbols.eval_loop, symbols.eval_loop_size};
    found->thread_state = symbols.thread_state;
    found->supported = layout->code_type != 0 && layout->string_type != 0 &&
                       layout->bytes_type != 0 && found->thread_state != NULL &&
                       lh_python_offsets_find(version, (const void *)found->runtime,
                                              found->runtime_size, &layout->at) == 0;
    if (!found->supported)
        describe_problem(found, version);
}

static void look_up(struct symbols *found)
{
    found->version = lh_python_symbol("Py_Version", NULL);
    found->get_version = (const char *(*)(void))lh_python_symbol("Py_GetVersion", NULL);
    found->is_initialized = (int (*)(void))lh_python_symbol("Py_IsInitialized", NULL);
    found->thread_state = (void *(*)(void))lh_python_symbol("PyGILState_GetThisThreadState", NULL);
    found->runtime = lh_python_symbol("_PyRuntime", &found->runtime_size);
    found->code_type = lh_python_symbol("PyCode_Type", NULL);
    found->string_type = lh_python_symbol("PyUnicode_Type", NULL);
    found->bytes_type = lh_python_symbol("PyBytes_Type", NULL);
    found->eval_loop = lh_python_symbol("_PyEval_EvalFrameDefault", &found->eval_loop_size);
}

void lh_python_look(void)
{
    struct symbols found = {0};
    int expected = UNKNOWN;
    if (!lh_python_library_look())
        return;
    look_up(&found);
    if (found.is_initialized == NULL ||
        !atomic_compare_exchange_strong(&symbols_state, &expected, FILLING))
        return;
    symbols = found;
    atomic_store_explicit(&symbols_state, FOUND, memory_order_release);
}

bool lh_python_is_loaded(void)
{
    return atomic_load_explicit(&symbols_state, memory_order_acquire) == FOUND;
}

int lh_python_find(void)
{
    const struct interpreter *known = found_interpreter();
    if (known != NULL)
        return known->supported ? 0 : -ENOTSUP;
    if (!lh_python_is_loaded())
        lh_python_look();
    if (!lh_python_is_loaded() || !symbols.is_initialized())
        return -ENOENT;
    struct interpreter found = {.runtime = (uintptr_t)symbols.runtime,
                                .runtime_size = symbols.runtime_size};
    find_layout(&found);
    int expected = UNKNOWN;
    if (!atomic_compare_exchange_strong(&state, &expected, FILLING))
        return -ENOENT; /* another thread is at it */
    interpreter = found;
    atomic_store_explicit(&state, FOUND, memory_order_release);
    return found.supported ? 0 : -ENOTSUP;
}

const char *lh_python_problem(void)
{
    const struct interpreter *known = found_interpreter();
    return known != NULL && known->problem[0] != '\0' ? known->problem : NULL;
}

uintptr_t lh_python_thread_state(void)
{
    const struct interpreter *known = found_interpreter();
    return known != NULL && known->thread_state != NULL ? (uintptr_t)known->thread_state() : 0;
}

static bool is_in_runtime(const struct interpreter *known, uintptr_t address)
{
    return address - known->runtime < known->runtime_size;
}

bool lh_python_is_runtime_lock(uintptr_t address)
{
    const struct interpreter *known = found_interpreter();
    return known != NULL && is_in_runtime(known, address);
}

void lh_python_capture(const struct lh_view *view, uintptr_t thread_state, uint32_t most,
                       struct lh_record *record)
{
    const struct interpreter *known = found_interpreter();
    if (known != NULL && known->supported)
        lh_python_walk(&known->layout, view, thread_state, most, record);
}

void lh_python_visit_frames(lh_memory_read *read, uintptr_t thread_state, lh_python_visit *visit,
                            void *context)
{
    const struct interpreter *known = found_interpreter();
    if (known == NULL || !known->supported || thread_state == 0)
        return;
    struct lh_python_walk walk = {.view = {.read = read}, .layout = &known->layout};
    (void)lh_python_walk_out(&walk, thread_state, visit, context);
}

uint32_t lh_python_line_of(lh_memory_read *read, const struct lh_python_step *step)
{
    const struct interpreter *known = found_interpreter();
    if (known == NULL || !known->supported)
        return 0;
    const struct lh_python_walk walk = {.view = {.read = read}, .layout = &known->layout};
    return lh_python_walk_line(&walk, step);
}

void lh_python_place(const struct lh_view *view, uintptr_t thread_state,
                     struct lh_python_place *place)
{
    const struct interpreter *known = found_interpreter();
    *place = (struct lh_python_place){.runs = LH_PYTHON_RUNS_NOTHING};
    if (known != NULL && known->supported && thread_state != 0)
        lh_python_place_find(&known->layout, view, thread_state, place);
}

enum lh_python_whereabouts lh_python_whereabouts(const struct lh_view *view, uintptr_t thread_state,
                                                 const struct lh_python_place *parked)
{
    const struct interpreter *known = found_interpreter();
    bool can_tell = parked->runs != LH_PYTHON_RUNS_NOTHING && known != NULL && known->supported;
    return can_tell ? lh_python_place_left(&known->layout, view, thread_state, parked)
                    : LH_PYTHON_INSIDE;
}

void lh_python_name_thread(const struct lh_view *view, uintptr_t thread_state,
                           struct lh_record *record, char name[LH_THREAD_NAME])
{
    const struct interpreter *known = found_interpreter();
    if (known != NULL && known->supported)
        lh_python_thread_name_find(&known->layout, view, thread_state, record, name);
}

bool lh_python_awaited(lh_memory_read *read, const struct lh_python_waiter *waiter,
                       struct lh_python_awaited *awaited)
{
    const struct interpreter *known = found_interpreter();
    *awaited = (struct lh_python_awaited){.kind = LH_AWAITED_NONE};
    if (known != NULL && known->supported && waiter->state != 0 &&
        !is_in_runtime(known, waiter->operand))
        lh_python_awaited_find(&known->layout, read, waiter, awaited);
    return awaited->kind != LH_AWAITED_NONE;
}

bool lh_python_store_suspended(lh_memory_read *read, uintptr_t thread_state, uintptr_t object,
                               struct lh_record *record)
{
    const struct interpreter *known = found_interpreter();
    struct lh_python_suspended found;
    if (known == NULL || !known->supported || thread_state == 0)
        return false;
    struct lh_python_walk walk = {
        .view = {.read = read}, .layout = &known->layout, .record = record, .left = 1};
    if (!lh_python_suspended_find(&walk, thread_state, object, &found) ||
        !lh_python_walk_take(&walk, found.frame))
        return false;
    lh_python_task_describe(&walk, found.task);
    return true;
}

enum lh_python_hold lh_python_thread_holds(lh_memory_read *read, uintptr_t thread_state,
                                           uintptr_t object)
{
    const struct interpreter *known = found_interpreter();
    return known != NULL && known->supported
               ? lh_python_hold_find(&known->layout, read, thread_state, object)
               : LH_PYTHON_HOLDS_NOTHING;
}

bool lh_python_store_text(lh_memory_read *read, uintptr_t text, struct lh_record *record,
                          uint16_t *offset)
{
    const struct interpreter *known = found_interpreter();
    if (known == NULL || !known->supported || text == 0)
        return false;
    struct lh_python_walk walk = {
        .view = {.read = read}, .layout = &known->layout, .record = record};
    return lh_python_store_name(&walk, text, offset) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which suspended coroutine has a lock.
 *
 * Runs on the watchdog, while the loop's thread stands still and others run: no malloc, no libc
 * state; memory is read through walk->view only, every object is what it should be only when its
 * type says so, and the number of steps is bounded.
 *
 * A thread that waits for a lock which a coroutine of its own loop took before an `await` waits for
 * ever: that coroutine goes on when the loop does. The loop's tasks are in a WeakSet of
 * asyncio.tasks (`_all_tasks`, since 3.12 `_scheduled_tasks`), which the modules that run a loop
 * have imported, and since 3.14 in a list that begins in the PyThreadState. A task has its
 * coroutine, and one that is suspended has on top of its values what it awaits. */
#include "preload/python/suspended.h"

#include <string.h>

#include "preload/python/attribute.h"
#include "preload/python/blocks.h"
#include "preload/python/held.h"
#include "preload/python/object.h"
#include "preload/python/running_loop.h"
#include "preload/python/task.h"

#define FRAMES_MAX   200u  /* of a thread: a loop is far out */
#define TASKS_MAX    1000u /* looked at */
#define AWAITING_MAX 32u   /* coroutines that await one another */
#define LOOKS_MAX    1000u /* coroutines that are looked at, of all tasks: some ms of reading */
#define ENTRIES      16u   /* of a set that are read at once */
#define SLOTS_MAX    65536u
#define DEPTH_MAX    4096 /* of a frame's values */
#define HEAD_MAX     128u /* bytes of a coroutine before its frame … */
#define FRAME_MAX                                                                                  \
    (LH_PYTHON_FRAME_SPAN_MAX + 2 * LH_PYTHON_WORD) /* … and what is looked at of it */
#define TASK_MAX 256u                               /* bytes of a task up to its coroutine */
#define PLACES   64u /* in code, that are remembered: many tasks await at the same one */
#define TYPES    8u

/* Words behind the header of an object. */
enum { SET_MASK = 2, SET_TABLE = 3, REFERENCE_OBJECT = 0, MODULE_DICT = 0, TASK_LOOP = 0 };

/* Of a generator, coroutine or the like (Include/cpython/genobject.h): up to 3.10 a pointer to its
 * frame comes first; since 3.11 the frame is the last of it, behind the qualified name, the state
 * of exceptions, where it was made, and four bytes, the last of which says how far it is. */
enum { GENERATOR_FRAME = 0, FRAME_BEHIND_NAME = 5 };
#define STATE_BEFORE_FRAME 5

/* That byte: suspended, or about to start, is negative up to 3.14; 3.15 has FRAME_SUSPENDED_YIELD_-
 * FROM and its _LOCKED, as whatever awaits is, which were nothing before (pycore_frame.h). */
#define AWAITS_FROM 2
#define AWAITS_TO   3

/* Words behind f_code: f_globals in 3.8 to 3.10, and since 3.12; in 3.11 it stands before it. Up to
 * 3.10 also f_valuestack, f_stacktop (3.8, 3.9), f_stackdepth (3.10). Since 3.11 the word behind
 * the instruction says how far the values go: an int, from the first local; since 3.14 a pointer.
 */
enum { GLOBALS_3_8 = 2, GLOBALS_3_11 = -3, GLOBALS_3_12 = 3 };
enum { VALUE_STACK = 4, STACK_TOP_3_8 = 5, STACK_DEPTH_3_10 = 6 };

/* TaskObj since 3.14: the coroutine, the name, the context, the node of the list. */
enum { NODE_BEHIND_COROUTINE = 3 };

enum kind { NO_COROUTINE, HAS_FRAME, STANDS_FOR_ONE };

struct search {
    uintptr_t object;
    uintptr_t loop;
    uintptr_t tasks; /* the module asyncio.tasks */
    uint32_t frames;
    uint32_t looks;
    struct lh_python_suspended *found;

    /* What was learnt on the way, for it is the same of most tasks. */
    uintptr_t task_type;
    uintptr_t coroutine_place;
    uint32_t type_count;
    struct {
        uintptr_t type;
        enum kind kind;
    } types[TYPES];
    struct {
        uintptr_t code, instruction;
        uint32_t local_count, live;
    } places[PLACES];
};

/* A frame of a coroutine that does not run. */
struct still {
    uintptr_t frame;
    uintptr_t code;
    uintptr_t instruction;
    uintptr_t end; /* of its values */
};

static bool has_frame_objects(const struct lh_python_walk *walk)
{
    return walk->layout->at.frame_last_instruction != 0;
}

static uintptr_t globals_of(const struct lh_python_walk *walk, uintptr_t frame)
{
    intptr_t words = has_frame_objects(walk)                ? GLOBALS_3_8
                     : walk->layout->at.frame_is_entry != 0 ? GLOBALS_3_11
                                                            : GLOBALS_3_12;
    uintptr_t code = frame + walk->layout->at.frame_code;
    return lh_python_word(walk, code + (uintptr_t)(words * (intptr_t)LH_PYTHON_WORD));
}

/* The innermost function that runs a loop, and the module that it has its tasks from. */
static bool visit(const struct lh_python_walk *walk, const struct lh_python_step *step,
                  void *context)
{
    struct search *search = context;
    search->loop = lh_python_running_loop(walk, step);
    if (search->loop == 0)
        return ++search->frames < FRAMES_MAX;
    search->tasks = lh_python_dict_value(walk, globals_of(walk, step->frame), "tasks");
    return false;
}

static uintptr_t word_at(const uint8_t *bytes, uintptr_t offset)
{
    uintptr_t word;
    memcpy(&word, bytes + offset, sizeof(word));
    return word;
}

static uintptr_t behind(uintptr_t values, uint32_t depth)
{
    bool is_known = depth > 0 && depth < DEPTH_MAX; /* it is not while the frame runs */
    return is_known ? values + depth * LH_PYTHON_WORD : 0;
}

/* Where the values end of the frame with these bytes; 0: not known. */
static uintptr_t values_end(const struct lh_python_walk *walk, uintptr_t frame,
                            const uint8_t *bytes)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t values = frame + at->frame_locals;
    uintptr_t end;
    if (has_frame_objects(walk) && at->thread_cframe == 0)
        return word_at(bytes, at->frame_code + STACK_TOP_3_8 * LH_PYTHON_WORD);
    if (has_frame_objects(walk)) {
        values = word_at(bytes, at->frame_code + VALUE_STACK * LH_PYTHON_WORD);
        return behind(values,
                      (uint32_t)word_at(bytes, at->frame_code + STACK_DEPTH_3_10 * LH_PYTHON_WORD));
    }
    end = word_at(bytes, at->frame_instruction + LH_PYTHON_WORD);
    return at->thread_task != 0 ? end : behind(values, (uint32_t)end);
}

/* Of a frame with these bytes. */
static bool note_still(const struct lh_python_walk *walk, uintptr_t frame, const uint8_t *bytes,
                       struct still *still)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    *still = (struct still){.frame = frame,
                            .code = word_at(bytes, at->frame_code) & ~LH_PYTHON_REFERENCE_BITS,
                            .instruction = word_at(bytes, at->frame_instruction),
                            .end = values_end(walk, frame, bytes)};
    return still->end != 0;
}

/* False: the coroutine is not suspended, or has ended. */
static bool read_still(const struct lh_python_walk *walk, uintptr_t coroutine, struct still *still)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uint8_t bytes[HEAD_MAX + FRAME_MAX] = {0};
    if (has_frame_objects(walk)) {
        uintptr_t frame = lh_python_member(walk, coroutine, GENERATOR_FRAME * LH_PYTHON_WORD);
        return frame != 0 && lh_python_read(walk, bytes, frame, at->frame_span) == 0 &&
               note_still(walk, frame, bytes, still);
    }
    uintptr_t head = at->object_type + LH_PYTHON_WORD + at->coroutine_qualname +
                     FRAME_BEHIND_NAME * LH_PYTHON_WORD;
    if (head > HEAD_MAX || lh_python_read(walk, bytes, coroutine, head + at->frame_span) != 0)
        return false;
    int8_t state = (int8_t)bytes[head - STATE_BEFORE_FRAME];
    return (state < 0 || (state >= AWAITS_FROM && state <= AWAITS_TO)) &&
           note_still(walk, coroutine + head, bytes + head, still);
}

/* Up to 3.10 it is the frame that knows its blocks, and later the code that it is in. */
static bool is_within(const struct lh_python_walk *walk, struct search *search,
                      const struct still *still)
{
    struct lh_python_step step;
    uintptr_t locals = still->frame + walk->layout->at.frame_locals;
    uint32_t row = (uint32_t)(still->instruction / sizeof(uint16_t) % PLACES);
    bool is_known = !has_frame_objects(walk) && search->places[row].code == still->code &&
                    search->places[row].instruction == still->instruction;
    struct lh_python_variables values = {.locals = locals};
    if (is_known) {
        values.local_count = search->places[row].local_count;
        values.live = search->places[row].live;
        values.values = locals + values.local_count * LH_PYTHON_WORD;
    } else if (!lh_python_walk_look(walk, still->frame, &step) ||
               !lh_python_variables_find(walk, &step, &values)) {
        return false;
    } else {
        search->places[row].code = still->code;
        search->places[row].instruction = still->instruction;
        search->places[row].local_count = values.local_count;
        search->places[row].live = values.live;
    }
    return lh_python_values_have_with(walk, &values, search->object);
}

static enum kind kind_by_name(const struct lh_python_walk *walk, uintptr_t type)
{
    static const struct {
        const char *name;
        enum kind kind;
    } kinds[] = {
        {"coroutine", HAS_FRAME},
        {"generator", HAS_FRAME},
        {"async_generator", HAS_FRAME},
        {"coroutine_wrapper", STANDS_FOR_ONE},
        {"async_generator_asend", STANDS_FOR_ONE},
        {"async_generator_athrow", STANDS_FOR_ONE},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (lh_python_type_is(walk, type, kinds[i].name))
            return kinds[i].kind;
    return NO_COROUTINE;
}

static enum kind kind_of(const struct lh_python_walk *walk, struct search *search, uintptr_t object)
{
    uintptr_t type = object != 0 ? lh_python_type(walk, object) : 0;
    uint32_t known = search->type_count < TYPES ? search->type_count : TYPES;
    if (type == 0)
        return NO_COROUTINE;
    for (uint32_t i = 0; i < known; i++)
        if (search->types[i].type == type)
            return search->types[i].kind;
    uint32_t row = search->type_count++ % TYPES;
    search->types[row].type = type;
    search->types[row].kind = kind_by_name(walk, type);
    return search->types[row].kind;
}

/* The object if it has a frame, or the one that it stands for, which is its first member; 0:
 * neither.
 */
static uintptr_t coroutine_of(const struct lh_python_walk *walk, struct search *search,
                              uintptr_t object)
{
    enum kind kind = kind_of(walk, search, object);
    if (kind == STANDS_FOR_ONE) {
        object = lh_python_member(walk, object, 0);
        kind = kind_of(walk, search, object);
    }
    return kind == HAS_FRAME ? object : 0;
}

/* What the function awaits is the last of its values; in 3.15 there is one behind it. */
static uintptr_t awaited_by(const struct lh_python_walk *walk, struct search *search,
                            const struct still *still)
{
    uintptr_t last[2];
    if (lh_python_read(walk, last, still->end - sizeof(last), sizeof(last)) != 0)
        return 0;
    uintptr_t coroutine = coroutine_of(walk, search, last[1] & ~LH_PYTHON_REFERENCE_BITS);
    return coroutine != 0 ? coroutine
                          : coroutine_of(walk, search, last[0] & ~LH_PYTHON_REFERENCE_BITS);
}

/* The first task tells which type they are of; one of a class that is derived from it is asked for.
 */
static bool is_task(const struct lh_python_walk *walk, struct search *search, uintptr_t type,
                    uintptr_t object)
{
    if (type != 0 && type == search->task_type)
        return true;
    if (!lh_python_is_a(walk, object, LH_PYTHON_TASK))
        return false;
    search->task_type = type;
    search->coroutine_place = lh_python_task_place(walk, object);
    return true;
}

/* The coroutine of a task of this loop; 0: it is none. */
static uintptr_t coroutine_of_task(const struct lh_python_walk *walk, struct search *search,
                                   uintptr_t object)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t header = at->object_type + LH_PYTHON_WORD;
    uintptr_t size = header + at->task_coroutine + 2 * LH_PYTHON_WORD;
    uint8_t bytes[TASK_MAX];
    if (object == 0 || size > sizeof(bytes) || lh_python_read(walk, bytes, object, size) != 0 ||
        word_at(bytes, header + TASK_LOOP * LH_PYTHON_WORD) != search->loop ||
        !is_task(walk, search, word_at(bytes, at->object_type), object))
        return 0;
    return coroutine_of(walk, search, word_at(bytes, header + search->coroutine_place));
}

static bool look_at_task(const struct lh_python_walk *walk, struct search *search, uintptr_t task)
{
    struct still still;
    uintptr_t coroutine = coroutine_of_task(walk, search, task);
    for (uint32_t i = 0; i < AWAITING_MAX && coroutine != 0; i++) {
        if (search->looks++ >= LOOKS_MAX || !read_still(walk, coroutine, &still))
            return false;
        if (is_within(walk, search, &still)) {
            *search->found = (struct lh_python_suspended){task, still.frame};
            return true;
        }
        coroutine = awaited_by(walk, search, &still);
    }
    return false;
}

static bool look_at_weak_set(const struct lh_python_walk *walk, struct search *search,
                             uintptr_t weak_set)
{
    struct {
        uintptr_t key, hash;
    } entries[ENTRIES];
    uint32_t tasks = 0;
    uintptr_t set = weak_set != 0 ? lh_python_attribute(walk, weak_set, "data") : 0;
    if (set == 0 || !lh_python_type_is(walk, lh_python_type(walk, set), "set"))
        return false;
    uintptr_t slots = lh_python_member(walk, set, SET_MASK * LH_PYTHON_WORD) + 1;
    uintptr_t table = lh_python_member(walk, set, SET_TABLE * LH_PYTHON_WORD);
    for (uintptr_t i = 0;
         i < slots && i < SLOTS_MAX && tasks < TASKS_MAX && search->looks < LOOKS_MAX; i++) {
        if (i % ENTRIES == 0) {
            uintptr_t count = slots - i < ENTRIES ? slots - i : ENTRIES;
            if (lh_python_read(walk, entries, table + i * sizeof(entries[0]),
                               count * sizeof(entries[0])))
                return false;
        }
        uintptr_t reference = entries[i % ENTRIES].key;
        if (reference == 0)
            continue;
        tasks++;
        if (look_at_task(walk, search,
                         lh_python_member(walk, reference, REFERENCE_OBJECT * LH_PYTHON_WORD)))
            return true;
    }
    return false;
}

/* Its coroutine is where the table says, or a word away from there (task.c), and so is the node. */
static uintptr_t task_of_node(const struct lh_python_walk *walk, uintptr_t node)
{
    const struct lh_python_offsets *at = &walk->layout->at;
    uintptr_t place = at->object_type + LH_PYTHON_WORD + at->task_coroutine +
                      NODE_BEHIND_COROUTINE * LH_PYTHON_WORD;
    const uintptr_t tasks[] = {node - place, node - place - LH_PYTHON_WORD,
                               node - place + LH_PYTHON_WORD};
    for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
        if (lh_python_is_a(walk, tasks[i], LH_PYTHON_TASK))
            return tasks[i];
    return 0;
}

/* A node is the next and the one before. */
static bool is_list(const struct lh_python_walk *walk, uintptr_t head)
{
    uintptr_t next = lh_python_word(walk, head);
    return next != 0 && lh_python_word(walk, next + LH_PYTHON_WORD) == head;
}

/* The list begins behind the running task, in 3.15 with a word in between. */
static bool look_at_list(const struct lh_python_walk *walk, struct search *search,
                         uintptr_t thread_state)
{
    uintptr_t head = thread_state + walk->layout->at.thread_task + LH_PYTHON_WORD;
    uintptr_t node;
    if (!is_list(walk, head))
        head += LH_PYTHON_WORD;
    if (!is_list(walk, head))
        return false;
    node = lh_python_word(walk, head);
    for (uint32_t i = 0; i < TASKS_MAX && node != head && node != 0; i++) {
        if (look_at_task(walk, search, task_of_node(walk, node)))
            return true;
        node = lh_python_word(walk, node);
    }
    return false;
}

bool lh_python_suspended_find(const struct lh_python_walk *walk, uintptr_t thread_state,
                              uintptr_t object, struct lh_python_suspended *found)
{
    struct lh_python_walk of_thread = {.view = walk->view, .layout = walk->layout};
    struct search search = {.object = object, .found = found};
    if (walk->layout->at.task_coroutine == 0)
        return false;
    (void)lh_python_walk_out(&of_thread, thread_state, visit, &search);
    if (search.loop == 0)
        return false;
    if (walk->layout->at.thread_task != 0)
        return look_at_list(walk, &search, thread_state);
    bool since_3_12 = walk->layout->at.instance_values >= LH_PYTHON_VALUES_TAGGED;
    uintptr_t module = lh_python_member(walk, search.tasks, MODULE_DICT * LH_PYTHON_WORD);
    return look_at_weak_set(
        walk, &search,
        lh_python_dict_value(walk, module, since_3_12 ? "_scheduled_tasks" : "_all_tasks"));
}

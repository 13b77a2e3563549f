/* SPDX-License-Identifier: Apache-2.0 */
/* V8 in this process, found once, and the stacks of its threads.
 *
 * lh_v8_find() runs on the program's threads, where symbols may be looked up (sys/symbols.h). All
 * else also runs on the watchdog and in a signal's handler: no malloc, no stdio, no libc that may
 * set errno, no thread-local storage but V8's own. */
#include "preload/v8/engine.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"
#include "preload/sys/symbols.h"
#include "preload/v8/heap.h"

/* v8::Isolate::TryGetCurrent(), v8::internal::Version: exported by every V8. */
#define TRY_GET_CURRENT "_ZN2v87Isolate13TryGetCurrentEv"
#define VERSION_MAJOR   "_ZN2v88internal7Version6major_E"
#define VERSION_MINOR   "_ZN2v88internal7Version6minor_E"

#define SYMBOL_BYTES 128

/* Tables of positions that are looked at before a row is believed. */
#define PROOF_TABLES 8

enum state { UNKNOWN, FILLING, FOUND };

static struct engine {
    bool supported;
    struct lh_v8_layout layout;
    struct lh_v8_layout without_positions; /* where these turn out to be none */
    uintptr_t (*try_get_current)(void);
    char problem[128]; /* "" when all is well */
} engine;

/* `engine` is written by one thread while this is FILLING, and only read once it is FOUND. */
static _Atomic int state;

/* Each loop that begins asks for V8. Where there was none it is looked for again when something has
 * been loaded since: a program of a hundred objects and a loop a test spends its time there. */
static _Atomic uint64_t missed_at; /* lh_symbols_loads() */

/* What walks have found so far of the row, in one word: tables, and in its lower half how many of
 * them fit. */
static _Atomic uint64_t proof;

static const struct engine *found_engine(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) == FOUND ? &engine : NULL;
}

static const void *address_of(const char *name)
{
    struct lh_symbol found;
    return lh_symbol_find(LH_SYMBOL_ANYWHERE, name, NULL, &found) == 0 ? found.address : NULL;
}

/* ---- what V8 says of itself ---- */

/* The first of these names, separated by commas, that there is. */
static bool find_number(const char *names, int32_t *number)
{
    static const char prefix[] = "v8dbg_";
    char symbol[SYMBOL_BYTES];
    while (*names != '\0') {
        struct lh_text text;
        lh_text_init(&text, symbol, sizeof(symbol));
        lh_text_string(&text, prefix);
        while (*names != '\0' && *names != ',')
            lh_text_char(&text, *names++);
        names += *names == ',';
        const int32_t *found = address_of(symbol);
        if (found != NULL) {
            *number = *found;
            return true;
        }
    }
    return false;
}

enum otherwise { REQUIRED = INT32_MIN, BY_ROW, BY_FIRST };

#define FUNCTION_TYPES 16 /* behind the first: where only that is told */

static const struct question {
    size_t member; /* of struct lh_v8_offsets */
    int32_t otherwise;
    const char *names;
} questions[] = {
#define V8_SYMBOL(member, otherwise, names)                                                        \
    {offsetof(struct lh_v8_offsets, member), otherwise, names},
#include "preload/v8/symbols.def"
};

static bool ask(const struct question *question, struct lh_v8_offsets *at)
{
    int32_t *member = (int32_t *)(void *)((char *)at + question->member);
    if (find_number(question->names, member) || question->otherwise == BY_ROW)
        return true;
    *member = question->otherwise == BY_FIRST ? at->type_function_first + FUNCTION_TYPES
                                              : question->otherwise;
    return question->otherwise != REQUIRED;
}

/* False: it does not say what it must, or has its pointers in half a word. */
static bool ask_all(struct lh_v8_offsets *at)
{
    int32_t tagged_size = LH_V8_WORD;
    find_number("TaggedSize", &tagged_size);
    bool all = tagged_size == LH_V8_WORD;
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && all; i++)
        all = ask(&questions[i], at);
    return all;
}

/* ---- JSEntry ---- */

/* Of a version without a row: c_entry_fp is what JSEntry saves right behind the registers. It
 * begins where all of V8's builtins do, at a multiple of 32 bytes; they are linked behind V8's
 * interface (scripts/v8_offsets.py has that of the versions that are known). Once in a process, 4
 * to 10 ms. */
#define ENTRY_ALIGNED 32u
#define ENTRY_BYTES   (32u << 20) /* it is less than half of that behind TryGetCurrent() */
#define ROOT_REGISTER 0x80        /* %r13 less the isolate */

static int32_t find_exit_frame(const struct engine *found)
{
    /* push %rbp; mov %rsp,%rbp; push $2; sub $8,%rsp; push %r12, %r13, %r14, %r15, %rbx; mov
     * %rdi,%r13; push disp32(%r13) */
    static const uint8_t entry[] = {0x55, 0x48, 0x89, 0xe5, 0x6a, 0x02, 0x48, 0x83, 0xec,
                                    0x08, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57,
                                    0x53, 0x4c, 0x8b, 0xef, 0x41, 0xff, 0xb5};
    int32_t offset;
    uintptr_t at = (uintptr_t)found->try_get_current & ~(uintptr_t)(ENTRY_ALIGNED - 1);
    uintptr_t end = found->layout.text_end;
    if (end - at > ENTRY_BYTES)
        end = at + ENTRY_BYTES;
    for (at += ENTRY_ALIGNED; at + sizeof(entry) + sizeof(offset) <= end; at += ENTRY_ALIGNED)
        if (memcmp((const void *)at, entry, sizeof(entry)) == 0) {
            memcpy(&offset, (const void *)(at + sizeof(entry)), sizeof(offset));
            return offset + ROOT_REGISTER;
        }
    return 0;
}

/* ---- the set-up ---- */

static void describe_problem(struct engine *found, uint32_t major, uint32_t minor)
{
    struct lh_text text;
    lh_text_init(&text, found->problem, sizeof(found->problem));
    lh_text_string(&text, "V8 ");
    lh_text_u64(&text, major);
    lh_text_char(&text, '.');
    lh_text_u64(&text, minor);
    lh_text_string(&text, found->supported
                              ? ": JavaScript functions are told by where they begin, the layout "
                                "of this version is not known"
                              : ": no JavaScript frames, it does not say how they are laid out");
}

static void fill(struct engine *found, uint32_t major, uint32_t minor)
{
    struct lh_v8_layout *layout = &found->layout;
    uint32_t version = major * 100 + minor;
    lh_v8_offsets_find(version, layout);
    found->supported =
        ask_all(&layout->at) &&
        lh_object_code((uintptr_t)found->try_get_current, &layout->text, &layout->text_end) == 0;
    if (found->supported && !layout->has_positions) {
        layout->at.exit_frame = find_exit_frame(found);
        layout->at.fast_frame = 0;
        found->supported = layout->at.exit_frame > 0;
    }
    found->without_positions = *layout;
    found->without_positions.has_positions = false;
    if (!found->supported || !layout->has_positions)
        describe_problem(found, major, minor);
}

int lh_v8_find(void)
{
    const struct engine *known = found_engine();
    if (known != NULL)
        return known->supported ? 0 : -ENOTSUP;
    uint64_t loads = lh_symbols_loads(); /* what is loaded meanwhile is looked at next time */
    if (loads != 0 && loads == atomic_load_explicit(&missed_at, memory_order_relaxed))
        return -ENOENT;
    struct engine found = {.try_get_current =
                               (uintptr_t(*)(void))(uintptr_t)address_of(TRY_GET_CURRENT)};
    const int32_t *major = found.try_get_current != NULL ? address_of(VERSION_MAJOR) : NULL;
    const int32_t *minor = major != NULL ? address_of(VERSION_MINOR) : NULL;
    if (minor == NULL) {
        atomic_store_explicit(&missed_at, loads, memory_order_relaxed);
        return -ENOENT;
    }
    fill(&found, (uint32_t)*major, (uint32_t)*minor);
    int expected = UNKNOWN;
    if (!atomic_compare_exchange_strong(&state, &expected, FILLING))
        return -ENOENT; /* another thread is at it */
    engine = found;
    atomic_store_explicit(&state, FOUND, memory_order_release);
    return found.supported ? 0 : -ENOTSUP;
}

const char *lh_v8_problem(void)
{
    const struct engine *known = found_engine();
    return known != NULL && known->problem[0] != '\0' ? known->problem : NULL;
}

uintptr_t lh_v8_isolate(void)
{
    const struct engine *known = found_engine();
    return known != NULL && known->supported ? known->try_get_current() : 0;
}

/* ---- stacks ---- */

static uint64_t tables_of(uint64_t found)
{
    return found >> 32;
}

static bool looks_wrong(uint64_t found)
{
    return (uint32_t)found * 4ull < tables_of(found);
}

const char *lh_v8_doubt(void)
{
    return looks_wrong(atomic_load(&proof))
               ? "loophound: this V8 is not laid out as its version is known to be: JavaScript "
                 "functions are told by where they begin\n"
               : NULL;
}

/* The last entry of a table is the last bytecode in most of a right row's tables, and in none of a
 * wrong one's. */
static bool is_refuted(const struct lh_v8_walk *walk)
{
    uint64_t found = atomic_load(&proof);
    uint64_t more = (uint64_t)walk->proof.tables << 32 | walk->proof.fitting;
    if (tables_of(found) < PROOF_TABLES)
        found = atomic_fetch_add(&proof, more) + more;
    return looks_wrong(found);
}

static struct lh_v8_scratch *take_scratch(struct lh_v8_scratch *scratch)
{
    for (uint32_t i = 0; i < LH_V8_WALKERS; i++)
        if (atomic_exchange(&scratch[i].taken, 1) == 0)
            return &scratch[i];
    return NULL;
}

void lh_v8_capture(const struct lh_view *view, const struct lh_v8_thread *thread,
                   struct lh_v8_scratch *scratch, uint32_t most, struct lh_record *record)
{
    const struct engine *known = found_engine();
    if (known == NULL || !known->supported || thread->isolate == 0)
        return;
    struct lh_v8_walk walk = {.view = view,
                              .layout = &known->layout,
                              .scratch = take_scratch(scratch),
                              .record = record,
                              .most = most < LH_JS_FRAMES ? most : LH_JS_FRAMES};
    uint32_t count = record->js_count;
    uint32_t strings = record->strings_length;
    if (walk.scratch == NULL)
        return;
    uint64_t found = atomic_load(&proof);
    if (tables_of(found) >= PROOF_TABLES && looks_wrong(found))
        walk.layout = &known->without_positions;
    lh_v8_budget(&walk);
    lh_v8_walk(&walk, thread);
    if (walk.layout->has_positions && is_refuted(&walk)) { /* once, with what is left to read */
        record->js_count = count;
        record->strings_length = strings;
        walk.layout = &known->without_positions;
        lh_v8_walk(&walk, thread);
    }
    if (lh_v8_is_spent(&walk))
        record->js_cut = 1;
    atomic_store(&walk.scratch->taken, 0);
}

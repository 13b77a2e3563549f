/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that only look like loops. See pollers.h: no malloc, no stdio, no errno. */
#include "preload/state/pollers.h"

#include <link.h>
#include <stddef.h>
#include <string.h>

#include "preload/python/interpreter.h"
#include "preload/python/library.h"
#include "preload/state/image.h"
#include "preload/sys/stack_words.h"
#include "preload/sys/symbols.h"

/* By a function of its own that a runtime offers to extensions. */
static const char *const preempting_runtimes[] = {"enif_schedule_nif"}; /* Erlang's BEAM */

/* CPython's own module, by which a loop in Python waits. */
#define SELECT_MODULE "select."

static bool is_python_program(void)
{
    const char *slash = strrchr(lh_image.exe, '/');
    return slash != NULL && strncmp(slash + 1, "python", strlen("python")) == 0 &&
           lh_python_is_loaded();
}

static bool preempts(void)
{
    static _Atomic uint32_t known; /* 1: no, 2: yes */
    uint32_t answer = atomic_load(&known);
    struct lh_symbol symbol;
    if (answer != 0)
        return answer == 2;
    answer = 1;
    for (size_t i = 0; i < sizeof(preempting_runtimes) / sizeof(preempting_runtimes[0]); i++)
        if (lh_symbol_find(LH_SYMBOL_ANYWHERE, preempting_runtimes[i], NULL, &symbol) == 0)
            answer = 2;
    atomic_store(&known, answer);
    return answer == 2;
}

/* The part of a file's code that an address lies in, and the file's name. */
struct search {
    uintptr_t address;
    struct lh_code code;
    const char *path;
};

static int note_code(struct dl_phdr_info *info, size_t size, void *data)
{
    struct search *search = data;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t from = info->dlpi_addr + part->p_vaddr;
        if (part->p_type != PT_LOAD || search->address - from >= part->p_memsz)
            continue;
        search->code = (struct lh_code){from, part->p_memsz};
        search->path = info->dlpi_name;
        return 1;
    }
    return 0;
}

static struct search code_at(uintptr_t address)
{
    struct search search = {.address = address};
    dl_iterate_phdr(note_code, &search);
    return search;
}

static bool is_in(uintptr_t address, struct lh_code code)
{
    return address - code.from < code.size;
}

static bool is_select(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strncmp(slash != NULL ? slash + 1 : path, SELECT_MODULE, strlen(SELECT_MODULE)) == 0;
}

/* The interpreter is never unloaded (python/library.c), and it is the same for all loops. */
static struct lh_code code_of_interpreter(void)
{
    static _Atomic uintptr_t from;
    static _Atomic size_t size; /* 0: not known yet; written last */
    size_t known = atomic_load_explicit(&size, memory_order_acquire);
    if (known != 0)
        return (struct lh_code){atomic_load_explicit(&from, memory_order_relaxed), known};
    struct lh_code code = code_at((uintptr_t)lh_python_symbol("PyEval_EvalCode", NULL)).code;
    atomic_store_explicit(&from, code.from, memory_order_relaxed);
    atomic_store_explicit(&size, code.size, memory_order_release);
    return code;
}

/* Python unloads none of its modules: where one of them has waited, it waits again. */
static bool is_pythons(uintptr_t site, struct lh_code interpreter, struct search *caller)
{
    static _Atomic uintptr_t selects; /* the latest wait of the module's */
    if (is_in(site, interpreter) || atomic_load(&selects) == site)
        return true;
    *caller = code_at(site);
    if (caller->code.size == 0 || !is_select(caller->path))
        return caller->code.size == 0;
    atomic_store(&selects, site);
    return true;
}

static void note_library(struct lh_slot *slot, uintptr_t site)
{
    struct search caller;
    slot->library =
        is_pythons(site, slot->python_code, &caller) ? (struct lh_code){0, 0} : caller.code;
}

bool lh_poller_is_uvloop(uintptr_t address)
{
    static const char part[] = "/uvloop/loop.";
    if (!lh_image_may_look_up())
        return false;
    struct search caller = code_at(address);
    return caller.code.size != 0 && strstr(caller.path, part) != NULL;
}

void lh_poller_note(struct lh_slot *slot, uintptr_t site)
{
    slot->preempts = false;
    slot->library = (struct lh_code){0, 0};
    if (!lh_image_may_look_up())
        return;
    if (lh_python_is_loaded())
        slot->python_code = code_of_interpreter();
    if (lh_options.loop_mode != LH_LOOP_AUTO || slot->stays)
        return;
    slot->preempts = preempts();
    if (is_python_program())
        note_library(slot, site);
}

/* What return addresses there are, from the innermost on. */
struct look {
    struct lh_code library;
    struct lh_code python;
    bool innermost_known;
    bool library_waits;
    bool has_python;
    bool has_handler; /* Python, below the library */
};

/* Our own library is not far from this. */
#define OWN_REACH (4u * 1024 * 1024)

static bool is_own(uintptr_t word)
{
    uintptr_t here = (uintptr_t)lh_poller_note;
    return word - here + OWN_REACH < 2 * OWN_REACH;
}

static bool look_at(void *context, uintptr_t at, uintptr_t word)
{
    struct look *look = context;
    bool library = is_in(word, look->library);
    bool python = is_in(word, look->python);
    (void)at;
    if (!library && !python && (look->innermost_known || is_own(word)))
        return false;
    if (!lh_is_after_call(word))
        return false;
    look->library_waits |= library && !look->innermost_known;
    look->innermost_known = true;
    look->has_python |= python;
    look->has_handler |= library && look->has_python;
    return look->library_waits || look->has_handler;
}

bool lh_poller_may_be(const struct lh_slot *slot)
{
    return slot->preempts || (slot->library.size != 0 && slot->place.runs != LH_PYTHON_RUNS_LOOP &&
                              slot->place.runs != LH_PYTHON_RUNS_HUB);
}

bool lh_poller_is(const struct lh_slot *slot, uintptr_t sp)
{
    if (slot->preempts)
        return true;
    if (!lh_poller_may_be(slot))
        return false;
    struct look look = {slot->library, slot->python_code, .innermost_known = sp == 0};
    uintptr_t from = sp != 0 ? sp : slot->park_frame;
    lh_stack_words(from, LH_STACK_SEARCH_BYTES, look_at, &look);
    return !look.has_handler;
}

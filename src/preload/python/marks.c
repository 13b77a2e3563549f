/* SPDX-License-Identifier: Apache-2.0 */
/* What Python functions are known for. See marks.h: any thread; no malloc, no stdio, no libc that
 * may set errno. */
#include "preload/python/marks.h"

#include <stdatomic.h>
#include <stddef.h>

#include "common/mix.h"
#include "common/noise.h"
#include "common/options.h"
#include "common/text.h"
#include "preload/python/names.h"

/* What is kept: the upper part of a code object's identity, then what it is known for. */
#define MARKS      2048u /* a power of two */
#define NOISE_BITS 5u
#define WHERE_BITS 3u
#define WHOSE_BITS 2u
#define RUNS_BITS  2u
#define MARK_BITS  (NOISE_BITS + WHERE_BITS + WHOSE_BITS + RUNS_BITS)
#define MASK(bits) ((1ULL << (bits)) - 1)

_Static_assert(LH_NOISE_COUNT <= 1u << NOISE_BITS && LH_NOISE_OTHER < 1u << WHERE_BITS,
               "a mark has room for them");

static _Atomic uint64_t marks[MARKS];
static const char *project = "";

/* A function, by the end of its qualified name, in a file, by the end of its path. */
static const struct known {
    const char *function;
    const char *file;
    enum lh_python_runs runs;
} functions[] = {
    {"run_forever", "asyncio/base_events.py", LH_PYTHON_RUNS_LOOP},
    {"run", "asyncio/runners.py", LH_PYTHON_RUNS_LOOP}, /* also of loops in C, as uvloop's */
    {"run", "uvloop/__init__.py", LH_PYTHON_RUNS_LOOP}, /* its own copy, up to 3.10 */
    {"run", "trio/_core/_run.py", LH_PYTHON_RUNS_LOOP},
    {"unrolled_run", "trio/_core/_run.py", LH_PYTHON_RUNS_LOOP},
    {"guest_tick", "trio/_core/_run.py", LH_PYTHON_RUNS_LOOP}, /* in the host's loop */
    {"mainLoop", "twisted/internet/base.py", LH_PYTHON_RUNS_LOOP},
    {"run", "gevent/hub.py", LH_PYTHON_RUNS_HUB},
    {"_work", "trio/_core/_thread_cache.py", LH_PYTHON_RUNS_JOB},
    {"_worker", "concurrent/futures/thread.py", LH_PYTHON_RUNS_JOB},
};

static const struct row {
    enum lh_noise_where where;
    enum lh_noise noise;
    const char *files;
    const char *functions;
} rows[] = {
#define FUNCTION(where, id, files, functions) {LH_NOISE_##where, LH_NOISE_##id, files, functions},
#include "noise.def"
};

/* Of src/frames.def the rows of Python. */
static const struct {
    const char *files;
    const char *functions; /* NULL: any */
    enum lh_python_whose whose;
} whose_files[] = {
#define PYTHON_ROW(globs, functions, whose) {globs, functions, LH_PYTHON_##whose},
#define JIT_ROW(...)
#define NATIVE_ROW(...)
#define FRAMES(lang, part, globs, functions, whose, example, doc)                                  \
    lang##_ROW(globs, functions, whose)
#include "frames.def"
};

void lh_python_marks_project(const char *globs)
{
    project = globs;
}

static enum lh_python_runs runs_of(const struct lh_python_walk *walk,
                                   const struct lh_python_step *step)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (lh_python_name_ends(walk, step->qualname, functions[i].function, '.') &&
            lh_python_name_ends(walk, step->filename, functions[i].file, '/'))
            return functions[i].runs;
    return LH_PYTHON_RUNS_NOTHING;
}

static enum lh_python_whose whose_is(const char *file, const char *function)
{
    size_t i = 0;
    size_t last = sizeof(whose_files) / sizeof(whose_files[0]) - 1; /* any file */
    while (i < last && (!lh_glob_list_match(whose_files[i].files, file) ||
                        (whose_files[i].functions != NULL &&
                         !lh_glob_list_match(whose_files[i].functions, function))))
        i++;
    enum lh_python_whose whose = whose_files[i].whose;
    if (project[0] == '\0')
        return whose;
    if (lh_glob_path_match(project, file))
        return LH_PYTHON_USER;
    return whose == LH_PYTHON_USER ? LH_PYTHON_LIBRARY : whose;
}

static void find_row(struct lh_python_mark *mark, const char *file, const char *function)
{
    const char *base = lh_base_name(file);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if ((lh_glob_list_match(rows[i].files, file) || lh_glob_list_match(rows[i].files, base)) &&
            lh_glob_list_match(rows[i].functions, function)) {
            mark->where = rows[i].where;
            mark->noise = rows[i].noise;
            return;
        }
}

/* False: the names cannot be read. */
__attribute__((noinline)) static bool find(const struct lh_python_walk *walk,
                                           const struct lh_python_step *step,
                                           struct lh_python_mark *mark)
{
    char file[LH_PYTHON_NAME_MAX + 1];
    char function[LH_PYTHON_NAME_MAX + 1];
    if (lh_python_name_text(walk, step->filename, file) != 0 ||
        lh_python_name_text(walk, step->qualname, function) != 0)
        return false;
    mark->runs = runs_of(walk, step);
    mark->whose = whose_is(file, function);
    find_row(mark, file, function);
    return true;
}

/* The same names in the same place, and the same lines. */
static uint64_t identity_of(const struct lh_python_walk *walk, const struct lh_python_step *step)
{
    uint64_t file = lh_python_name_hash(walk, step->filename);
    uint64_t function = lh_python_name_hash(walk, step->qualname);
    if (file == 0 || function == 0)
        return 0;
    uint64_t sum = lh_mix(lh_mix(step->code, step->filename), step->qualname);
    sum = lh_mix(lh_mix(sum, step->line_table), (uint32_t)step->first_line);
    return lh_mix(lh_mix(sum, file), function);
}

static uint64_t pack(const struct lh_python_mark *mark)
{
    uint64_t bits = (uint64_t)mark->runs << WHOSE_BITS | mark->whose;
    bits = (bits << WHERE_BITS | mark->where) << NOISE_BITS | mark->noise;
    return (mark->identity & ~MASK(MARK_BITS)) | bits;
}

static void unpack(struct lh_python_mark *mark, uint64_t kept)
{
    mark->noise = kept & MASK(NOISE_BITS);
    mark->where = (enum lh_noise_where)(kept >> NOISE_BITS & MASK(WHERE_BITS));
    mark->whose = (enum lh_python_whose)(kept >> (NOISE_BITS + WHERE_BITS) & MASK(WHOSE_BITS));
    mark->runs = (enum lh_python_runs)(kept >> (MARK_BITS - RUNS_BITS) & MASK(RUNS_BITS));
}

/* Which place one has must not depend on the bits that are compared. */
static _Atomic uint64_t *place_of(const struct lh_python_step *step)
{
    return &marks[lh_mix(0, step->code) % MARKS];
}

struct lh_python_mark lh_python_mark_of(const struct lh_python_walk *walk,
                                        const struct lh_python_step *step)
{
    struct lh_python_mark mark = {.whose = LH_PYTHON_STANDARD, .identity = identity_of(walk, step)};
    _Atomic uint64_t *place = place_of(step);
    uint64_t kept = atomic_load_explicit(place, memory_order_relaxed);
    if (mark.identity == 0)
        return mark;
    if (kept != 0 && ((kept ^ mark.identity) & ~MASK(MARK_BITS)) == 0)
        unpack(&mark, kept);
    else if (find(walk, step, &mark))
        atomic_store_explicit(place, pack(&mark), memory_order_relaxed);
    else
        mark.identity = 0;
    return mark;
}

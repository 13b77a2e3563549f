/* SPDX-License-Identifier: Apache-2.0 */
/* What a Python function is known for, by its names: does it run a loop, whose code is it, which
 * row of src/noise.def does it match?
 *
 * The answer is kept for each code object, so that a second look costs some 20 ns where memory is
 * read directly (lh_memory_read_near). It is believed only where the code object still has the
 * same names, lines and address: another one may have its place by now. See interpreter.h for who
 * may call what. */
#ifndef LH_PRELOAD_PYTHON_MARKS_H
#define LH_PRELOAD_PYTHON_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/python/walk.h"

enum lh_python_runs {
    LH_PYTHON_RUNS_NOTHING, /* that is known */
    LH_PYTHON_RUNS_LOOP,
    LH_PYTHON_RUNS_HUB, /* a loop on a stack of its own, which its handlers do not run on */
    LH_PYTHON_RUNS_JOB, /* what a pool of threads was given */
};

enum lh_python_whose {
    LH_PYTHON_STANDARD, /* the standard library's */
    LH_PYTHON_LIBRARY,  /* of an installed package */
    LH_PYTHON_GENERATED,
    LH_PYTHON_USER,
};

/* Where a row of src/noise.def looks for its function. */
enum lh_noise_where {
    LH_NOISE_NOWHERE, /* no row matches */
    LH_NOISE_ANY,
    LH_NOISE_NEAR,
    LH_NOISE_FIRST,
    LH_NOISE_SOURCE,
    LH_NOISE_READS,
    LH_NOISE_WAITS,
    LH_NOISE_OTHER,
};

struct lh_python_mark {
    enum lh_python_runs runs;
    enum lh_python_whose whose;
    enum lh_noise_where where; /* of the row that it matches … */
    uint32_t noise;            /* … and that row's class: enum lh_noise */
    uint64_t identity;         /* of the code object; 0: its names cannot be read */
};

/* Of the function of this step. */
struct lh_python_mark lh_python_mark_of(const struct lh_python_walk *walk,
                                        const struct lh_python_step *step);

/* LOOPHOUND_PROJECT, "" or globs, which outlive all calls. Before the first look. */
void lh_python_marks_project(const char *globs);

#endif

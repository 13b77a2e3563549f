/* SPDX-License-Identifier: Apache-2.0 */
/* One name of code that was made at run time, as its maker wrote it. Any thread; no state. */
#ifndef LH_COLLECT_STACK_JIT_NAME_H
#define LH_COLLECT_STACK_JIT_NAME_H

#include <stdint.h>

struct lh_jit_symbol {
    const char *function;
    const char *file; /* NULL: unknown */
    uint32_t line;    /* where the function begins; 0: unknown */
};

/* Reads a name as V8 writes it: "LazyCompile:*name file:line:column". Others are a function without
 * a file. Changes `name`, in which what is found then lies. */
void lh_jit_name_parse(char *name, struct lh_jit_symbol *found);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a program from its file alone: an ELF file, which may be corrupt. */
#ifndef LH_CLI_DOCTOR_FACTS_H
#define LH_CLI_DOCTOR_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* The name of the ring, a file in memory, among what a process has mapped. */
#define LH_RING_FILE      "memfd:loophound*"
#define LH_V8_LIBRARIES   "libnode.so*" /* Debian's */
#define LH_LIBRARIES_MAX  256u
#define LH_BUILD_ID_BYTES 32u

/* System calls that wait for events, made by an instruction in the program's own code. */
enum lh_inline_wait { LH_INLINE_EPOLL = 1, LH_INLINE_URING = 2 };

struct lh_program {
    bool readable; /* false: nothing else is known */
    bool is_elf;
    bool has_symbols; /* .symtab, or MiniDebugInfo */
    bool has_lines;   /* DWARF */
    bool has_debug_file;
    bool has_unwind_table;
    bool defines_python; /* the interpreter is in the program, not in a library */
    bool has_tsan;       /* ThreadSanitizer is in it, or in a library of its */
    bool has_asan;
    char build_id[2 * LH_BUILD_ID_BYTES + 1]; /* hexadecimal; "": it has none */
    uint32_t python_version; /* PY_VERSION_HEX, its low half 0 where that is not known; 0: none */
    uint32_t v8_version;     /* of V8 that is in it: 1002 is 10.2; 0: none, or it does not say */
    unsigned inline_waits;   /* of enum lh_inline_wait */
    char *libraries[LH_LIBRARIES_MAX]; /* names, or paths where they are known */
    uint32_t library_count;
    char *run_paths[8]; /* where it looks for them: DT_RPATH, DT_RUNPATH */
    uint32_t run_path_count;
};

/* Adds a library that a process has mapped. */
void lh_program_add_library(struct lh_program *program, const char *path);

/* The first library that one of the comma-separated globs fits. NULL: none. */
const char *lh_program_library(const struct lh_program *program, const char *globs);

void lh_program_free(struct lh_program *program);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A thread of an interpreter that never was, for tests of what is found out from its frames. */
#ifndef LH_TESTS_UNIT_PYTHON_THREAD_H
#define LH_TESTS_UNIT_PYTHON_THREAD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/record.h"
#include "preload/python/walker.h"
#include "preload/sys/memory.h"

#define FRAMES 300
#define SHIM   3

/* An interpreter of our own: what counts is only where the layout says things are. */
struct object {
    uint64_t references;
    const void *type;
};
struct string {
    struct object head;
    int64_t length;
    int64_t hash;
    uint32_t state;
    char text[300];
};
struct bytes {
    struct object head;
    int64_t length;
    uint8_t data[8];
};
struct code {
    struct object head;
    const void *filename, *qualname, *line_table;
    const void *copies;
    int32_t first_line;
    uint16_t bytecode[4];
};
struct frame {
    const void *previous, *code, *instruction;
    char owner;
    int32_t bytecode_index;
};
struct thread {
    const void *next; /* so that the frame's offset is not 0 */
    const void *frame;
    uintptr_t id; /* the same for all */
};
struct interpreter {
    const void *next, *threads;
};

static const char code_type, string_type, bytes_type;

static struct lh_python_layout layout = {
    .at = {.thread_frame = offsetof(struct thread, frame),
           .frame_previous = offsetof(struct frame, previous),
           .frame_code = offsetof(struct frame, code),
           .frame_instruction = offsetof(struct frame, instruction),
           .frame_owner = offsetof(struct frame, owner),
           .code_filename = offsetof(struct code, filename),
           .code_qualname = offsetof(struct code, qualname),
           .code_first_line = offsetof(struct code, first_line),
           .code_line_table = offsetof(struct code, line_table),
           .code_bytecode = offsetof(struct code, bytecode),
           .string_length = offsetof(struct string, length),
           .string_state = offsetof(struct string, state),
           .string_ascii = offsetof(struct string, text),
           .string_wide = offsetof(struct string, text),
           .bytes_length = offsetof(struct bytes, length),
           .bytes_data = offsetof(struct bytes, data),
           .object_type = offsetof(struct object, type),
           .frame_span = sizeof(struct frame),
           .code_span = offsetof(struct code, bytecode),
           .string_kind_bit = 2},
};

static const struct lh_view direct = {.read = lh_memory_read_self};

static struct string file;
static struct bytes line_table;
static struct string names[FRAMES];
static struct code codes[FRAMES];
static struct frame frames[FRAMES];
static struct thread thread;
static struct lh_record record;

static void set_string(struct string *string, const char *text)
{
    *string =
        (struct string){.head = {1, &string_type},
                        .length = (int64_t)strlen(text),
                        .hash = -1,                         /* nobody has asked for it */
                        .state = 1 << 2 | 1 << 5 | 1 << 6}; /* one byte each, compact, ASCII */
    memcpy(string->text, text, strlen(text));
}

/* A thread of FRAMES frames f0, f1, ... of one file; frame i is on line 10 + i. */
static int make_thread(void **state)
{
    (void)state;
    memset(&record, 0, sizeof(record));
    layout.code_type = (uintptr_t)&code_type;
    layout.string_type = (uintptr_t)&string_type;
    layout.bytes_type = (uintptr_t)&bytes_type;
    set_string(&file, "app.py");
    /* One entry without columns for eight instructions, the line one after the first. */
    line_table = (struct bytes){.head = {1, &bytes_type}, .length = 2, .data = {0xef, 0x02}};
    for (int i = 0; i < FRAMES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "f%d", i);
        set_string(&names[i], name);
        codes[i] = (struct code){.head = {1, &code_type},
                                 .filename = &file,
                                 .qualname = &names[i],
                                 .line_table = &line_table,
                                 .first_line = 9 + i};
        frames[i] = (struct frame){.previous = i + 1 < FRAMES ? &frames[i + 1] : NULL,
                                   .code = &codes[i],
                                   .instruction = &codes[i].bytecode[1]};
    }
    thread.frame = &frames[0];
    return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, make_thread)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks built from records of this very process, and of a child, compared with what is known. */
#include "nested_calls.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

static void test_functions_are_named_innermost_first_without_the_wrapper(void **state)
{
    (void)state;
    outer();
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    assert_true(count >= 5);
    expect_function(&frames[0], "inner");
    expect_function(&frames[1], "middle");
    expect_function(&frames[2], "outer");
    expect_function(&frames[3], __func__);
    expect_truth(frames, count);
    assert_true(ends_with(frames[2].file, "nested_calls.h"));
    assert_int_equal(frames[2].line, call_line);
    lh_stacks_close(stacks);
}

static void test_no_more_frames_than_asked_for(void **state)
{
    (void)state;
    outer();
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[3] = {{.function = NULL}, {.function = NULL}, {.function = "untouched"}};
    assert_int_equal(lh_stacks_build(stacks, &record, frames, 2), 2);
    expect_function(&frames[1], "middle");
    assert_string_equal(frames[2].function, "untouched");
    assert_int_equal(lh_stacks_build(stacks, &record, frames, 0), 0);
    lh_stacks_close(stacks);
}

static void add_python(const char *function, uint64_t boundary)
{
    if (record.strings_length == 0)
        record.strings_length = (uint32_t)sizeof("app.py");
    memcpy(record.strings, "app.py", sizeof("app.py"));
    record.python[record.python_count] = (struct lh_python_frame){
        .boundary = boundary, .line = 7, .file = 0, .function = (uint16_t)record.strings_length};
    memcpy(record.strings + record.strings_length, function, strlen(function) + 1);
    record.strings_length += (uint32_t)strlen(function) + 1;
    record.python_count++;
}

static void expect_python(const struct lh_frame *frame, const char *function)
{
    assert_int_equal(frame->lang, LH_LANG_PYTHON);
    assert_string_equal(frame->function, function);
    assert_string_equal(frame->file, "app.py");
    assert_int_equal(frame->line, 7);
    assert_null(frame->module);
}

static uint64_t loop_address;

/* Stands for the interpreter's loop: an address in its frame is the boundary. */
NOINLINE static void interpreter_loop(void)
{
    volatile uint64_t local = 0;
    loop_address = (uint64_t)(uintptr_t)&local;
    inner();
    local = 1;
}

static void test_python_frames_stand_in_for_the_interpreter_loop(void **state)
{
    (void)state;
    interpreter_loop();
    add_python("leaf", 0);
    add_python("root", loop_address);
    assert_true(lh_record_check(&record));
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    assert_true(count > 4);
    memset(record.strings, 'x', sizeof(record.strings)); /* names outlive the record */
    expect_function(&frames[0], "inner");
    expect_python(&frames[1], "leaf");
    expect_python(&frames[2], "root");
    expect_function(&frames[3], __func__);
    lh_stacks_close(stacks);
}

static void test_without_a_stack_copy_python_frames_stand_alone(void **state)
{
    (void)state;
    interpreter_loop();
    add_python("leaf", loop_address);
    record.stack_address = 0; /* what else is there does not count */
    record.registers.sp = 0;
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    assert_int_equal(lh_stacks_build(stacks, &record, frames, MOST), 1);
    expect_python(&frames[0], "leaf");
    lh_stacks_close(stacks);
}

/* A child that has captured itself into `shared` and waits until it is ended. */
static pid_t start_child(struct lh_record *shared)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        outer();
        memcpy(shared, &record, sizeof(*shared));
        (void)!write(ready[1], "", 1);
        for (;;)
            pause();
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void end_child(pid_t child)
{
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_a_stack_of_another_process_also_after_its_death(void **state)
{
    (void)state;
    struct lh_record *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    pid_t child = start_child(shared);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/maps", child);
    struct lh_stacks *stacks = lh_stacks_open(child, open(path, O_RDONLY | O_CLOEXEC), "");
    assert_non_null(stacks);
    end_child(child);

    struct lh_frame frames[MOST];
    uint32_t count = lh_stacks_build(stacks, shared, frames, MOST);
    assert_true(count > 3);
    expect_function(&frames[1], "middle");
    expect_function(&frames[2], "outer");

    /* An address outside of the map makes it read again: there is nothing to read now. */
    struct lh_record *lost = malloc(sizeof(*lost));
    assert_non_null(lost);
    memcpy(lost, shared, sizeof(*lost));
    lost->registers.pc = 0x1000;
    assert_int_equal(lh_stacks_build(stacks, lost, frames, MOST), 0);
    assert_int_equal(lh_stacks_build(stacks, shared, frames, MOST), count);
    expect_function(&frames[2], "outer");
    free(lost);
    lh_stacks_close(stacks);
    munmap(shared, sizeof(*shared));
}

static void test_without_a_map_there_is_no_native_frame(void **state)
{
    (void)state;
    outer();
    struct lh_stacks *stacks = lh_stacks_open(getpid(), -1, "");
    assert_non_null(stacks);
    struct lh_frame frames[MOST];
    assert_int_equal(lh_stacks_build(stacks, &record, frames, MOST), 0);
    lh_stacks_close(stacks);
}

static void
test_frames_of_javascript_stand_in_for_the_native_frame_with_their_frame_pointer(void **state)
{
    static const char strings[] = "file:///srv/app.js\0handler\0";
    (void)state;
    interpreter_loop();
    memcpy(record.strings, strings, sizeof(strings));
    record.strings_length = sizeof(strings);
    record.js_count = 2;
    record.js[0] = (struct lh_js_frame){.fp = loop_address, .line = 7, .column = 3, .function = 19};
    record.js[1] = (struct lh_js_frame){
        .fp = loop_address, .line = 9, .column = 1, .function = 27, .how = LH_JS_START};
    assert_true(lh_record_check(&record));
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    assert_true(lh_stacks_build(stacks, &record, frames, MOST) > 4);
    expect_function(&frames[0], "inner");
    assert_int_equal(frames[1].lang, LH_LANG_JIT);
    assert_string_equal(frames[1].function, "handler");
    assert_string_equal(frames[1].file, "/srv/app.js");
    assert_int_equal(frames[1].line, 7);
    assert_int_equal(frames[1].column, 3);
    assert_false(frames[1].at_start);
    assert_string_equal(frames[2].function, "(anonymous)");
    assert_true(frames[2].at_start);
    expect_function(&frames[3], __func__);
    lh_stacks_close(stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_are_named_innermost_first_without_the_wrapper),
        cmocka_unit_test(test_no_more_frames_than_asked_for),
        cmocka_unit_test(test_python_frames_stand_in_for_the_interpreter_loop),
        cmocka_unit_test(test_without_a_stack_copy_python_frames_stand_alone),
        cmocka_unit_test(test_a_stack_of_another_process_also_after_its_death),
        cmocka_unit_test(test_without_a_map_there_is_no_native_frame),
        cmocka_unit_test(
            test_frames_of_javascript_stand_in_for_the_native_frame_with_their_frame_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

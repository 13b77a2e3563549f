/* SPDX-License-Identifier: Apache-2.0 */
/* Unwindings that are remembered: whatever changes between two stacks, what comes out is what a
 * first look at the second one finds. */
#include "nested_calls.h"

#include <stdio.h>
#include <sys/mman.h>

#include "collect/stack/unwind.h"

#define MAPS_BYTES (1u << 20)
#define RUNS       3000

static struct lh_native_frame told[MOST];
static struct lh_native_frame expected[MOST];

static uint64_t random_word(void)
{
    static uint64_t x = 0x9e3779b97f4a7c15;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return x;
}

/* A map that does not change by itself. */
static void open_map(struct lh_modules *modules, const char *text)
{
    *modules = (struct lh_modules){.pid = getpid(), .maps_fd = -1};
    assert_int_equal(lh_modules_parse(modules, text, strlen(text)), 0);
}

static char *own_map(void)
{
    char *text = calloc(1, MAPS_BYTES);
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(text);
    assert_non_null(maps);
    assert_true(fread(text, 1, MAPS_BYTES - 1, maps) > 0);
    fclose(maps);
    return text;
}

/* What somebody says who has seen no stack before. */
static uint32_t look_for_the_first_time(struct lh_modules *modules, const struct lh_record *of)
{
    struct lh_unwinder *unwinder = lh_unwinder_new(modules);
    assert_non_null(unwinder);
    uint32_t count = lh_unwind(unwinder, of, expected, MOST);
    assert_int_equal(lh_unwinder_counts(unwinder).found, 0);
    lh_unwinder_free(unwinder);
    return count;
}

static uint32_t expect_the_same(struct lh_unwinder *unwinder, struct lh_modules *modules,
                                const struct lh_record *of)
{
    uint32_t count = lh_unwind(unwinder, of, told, MOST);
    assert_int_equal(count, look_for_the_first_time(modules, of));
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(told[i].pc, expected[i].pc);
        assert_int_equal(told[i].sp, expected[i].sp);
        assert_int_equal(told[i].fp, expected[i].fp);
        assert_int_equal(told[i].exact, expected[i].exact);
    }
    return count;
}

static struct lh_unwinder *new_unwinder(struct lh_modules *modules)
{
    struct lh_unwinder *unwinder = lh_unwinder_new(modules);
    assert_non_null(unwinder);
    return unwinder;
}

static void test_an_equal_stack_is_known(void **state)
{
    (void)state;
    struct lh_modules modules;
    char *map = own_map();
    outer();
    open_map(&modules, map);
    struct lh_unwinder *unwinder = new_unwinder(&modules);
    uint32_t count = expect_the_same(unwinder, &modules, &record);
    uint64_t number = lh_unwinder_number(unwinder);
    assert_true(count >= 5);
    assert_int_not_equal(number, 0);
    assert_int_equal(expect_the_same(unwinder, &modules, &record), count);
    assert_int_equal(lh_unwinder_number(unwinder), number);
    assert_int_equal(lh_unwinder_counts(unwinder).found, 1);
    assert_int_equal(lh_unwinder_counts(unwinder).missed, 1);
    lh_unwinder_free(unwinder);
    lh_modules_close(&modules);
    free(map);
}

/* Each word in its turn is one that leads elsewhere in the program, and then what it was. */
static void test_one_other_word_is_another_stack(void **state)
{
    (void)state;
    struct lh_modules modules;
    char *map = own_map();
    outer();
    open_map(&modules, map);
    struct lh_unwinder *unwinder = new_unwinder(&modules);
    uint32_t count = expect_the_same(unwinder, &modules, &record);
    uint64_t end = told[count - 1].sp - record.stack_address;
    uint32_t others = 0;
    assert_in_range(end, 512, record.stack_length); /* middle() alone has as much */
    for (uint64_t at = 0; at + sizeof(uint64_t) <= end; at += sizeof(uint64_t)) {
        uint64_t was;
        uint64_t other = (uint64_t)(uintptr_t)truth[2 + at / 8 % 3];
        memcpy(&was, record.stack + at, sizeof(was));
        other += other == was;
        memcpy(record.stack + at, &other, sizeof(other));
        uint64_t missed = lh_unwinder_counts(unwinder).missed;
        (void)expect_the_same(unwinder, &modules, &record);
        others += lh_unwinder_counts(unwinder).missed > missed;
        memcpy(record.stack + at, &was, sizeof(was));
    }
    assert_in_range(others, 4, end / sizeof(uint64_t) / 2); /* but nobody reads variables */
    assert_int_equal(expect_the_same(unwinder, &modules, &record), count);
    lh_unwinder_free(unwinder);
    lh_modules_close(&modules);
    free(map);
}

/* All but the last two, sp and pc. */
#define PRESERVED (sizeof(struct lh_registers) / sizeof(uint64_t) - 2)

/* Words and registers that may well be followed, several at once; some stacks come again. */
static void test_whatever_changes_the_frames_are_those_of_a_first_look(void **state)
{
    (void)state;
    struct lh_modules modules;
    struct lh_record *changed = malloc(sizeof(*changed));
    void *made = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *map = own_map();
    assert_non_null(changed);
    assert_ptr_not_equal(made, MAP_FAILED);
    outer();
    open_map(&modules, map);
    struct lh_unwinder *unwinder = new_unwinder(&modules);
    for (int run = 0; run < RUNS; run++) {
        memcpy(changed, &record, sizeof(*changed));
        uint64_t *registers = (uint64_t *)&changed->registers;
        changed->running = random_word() % 8 == 0;
        if (random_word() % 4 == 0) /* code without a description: then the frame pointer counts */
            changed->registers.pc = (uint64_t)(uintptr_t)made + 16;
        if (random_word() % 4 == 0)
            registers[random_word() % PRESERVED] =
                record.stack_address + random_word() % 512 / 8 * 8;
        if (random_word() % 8 == 0)
            changed->stack_length -= (uint32_t)(random_word() % record.stack_length);
        for (uint64_t i = random_word() % 3; i-- > 0;) {
            uint64_t word = random_word() % 2 == 0
                                ? (uint64_t)(uintptr_t)truth[random_word() % 4 + 1]
                                : record.stack_address + random_word() % 1024 / 8 * 8;
            memcpy(changed->stack + random_word() % 128 * 8, &word, sizeof(word));
        }
        (void)expect_the_same(unwinder, &modules, changed);
    }
    assert_true(lh_unwinder_counts(unwinder).found > RUNS / 20);
    assert_true(lh_unwinder_counts(unwinder).missed > RUNS / 20);
    lh_unwinder_free(unwinder);
    lh_modules_close(&modules);
    munmap(made, 4096);
    free(changed);
    free(map);
}

/* The text without the lines of this file. */
static void leave_out(char *text, const char *part)
{
    char *to = text;
    for (char *at = text; *at != '\0';) {
        char *end = strchr(at, '\n') + 1;
        size_t length = (size_t)(end - at);
        if (memmem(at, length, part, strlen(part)) == NULL) {
            memmove(to, at, length);
            to += length;
        }
        at = end;
    }
    *to = '\0';
}

static void test_a_map_that_has_changed_is_looked_at(void **state)
{
    (void)state;
    struct lh_modules modules;
    char *map = own_map();
    char *without = own_map();
    leave_out(without, "/libc");
    outer();
    open_map(&modules, map);
    struct lh_unwinder *unwinder = new_unwinder(&modules);
    uint32_t count = expect_the_same(unwinder, &modules, &record);
    assert_int_equal(lh_modules_parse(&modules, without, strlen(without)), 0);
    assert_true(expect_the_same(unwinder, &modules, &record) < count); /* without main()'s caller */
    assert_int_equal(lh_modules_parse(&modules, map, strlen(map)), 0);
    assert_int_equal(expect_the_same(unwinder, &modules, &record), count);
    assert_int_equal(lh_unwinder_counts(unwinder).found, 0);
    lh_unwinder_free(unwinder);
    lh_modules_close(&modules);
    free(without);
    free(map);
}

static void test_so_many_are_remembered_and_no_more(void **state)
{
    (void)state;
    struct lh_modules modules;
    char *map = own_map();
    outer();
    open_map(&modules, map);
    struct lh_unwinder *unwinder = new_unwinder(&modules);
    for (uint32_t i = 0; i < 4 * LH_UNWOUND_MAX; i++) {
        record.stack_address += 16;
        record.registers.sp += 16;
        (void)lh_unwind(unwinder, &record, told, MOST);
    }
    struct lh_unwound_counts counts = lh_unwinder_counts(unwinder);
    assert_int_equal(counts.missed, 4 * LH_UNWOUND_MAX);
    assert_in_range(counts.kept, LH_UNWOUND_MAX / 4, LH_UNWOUND_MAX);
    assert_in_range(counts.bytes, 1, LH_UNWOUND_BYTES);
    (void)lh_unwind(unwinder, &record, told, MOST); /* the last one is among them */
    assert_int_equal(lh_unwinder_counts(unwinder).found, 1);
    lh_unwinder_free(unwinder);
    lh_modules_close(&modules);
    free(map);
}

static void expect_same_text(const char *text, const char *other)
{
    assert_int_equal(text == NULL, other == NULL);
    if (text != NULL)
        assert_string_equal(text, other);
}

static void expect_same_frame(const struct lh_frame *frame, const struct lh_frame *other)
{
    expect_same_text(frame->function, other->function);
    expect_same_text(frame->file, other->file);
    expect_same_text(frame->directory, other->directory);
    expect_same_text(frame->module, other->module);
    expect_same_text(frame->build_id, other->build_id);
    assert_int_equal(frame->line, other->line);
    assert_int_equal(frame->offset, other->offset);
    assert_int_equal(frame->kind, other->kind);
    assert_int_equal(frame->user, other->user);
    assert_int_equal(frame->inlined, other->inlined);
    assert_int_equal(frame->cut, other->cut);
}

static void test_stacks_with_the_same_number_have_the_same_frames(void **state)
{
    (void)state;
    struct lh_stacks *stacks = open_self();
    struct lh_frame frames[MOST];
    struct lh_frame again[MOST];
    outer();
    uint32_t count = lh_stacks_build(stacks, &record, frames, MOST);
    uint64_t number = lh_stacks_number(stacks);
    assert_int_not_equal(number, 0);
    assert_int_equal(lh_stacks_build(stacks, &record, again, MOST), count);
    assert_int_equal(lh_stacks_number(stacks), number);
    for (uint32_t i = 0; i < count; i++)
        expect_same_frame(&again[i], &frames[i]);
    record.python_count = 1;
    record.strings_length = 1;
    (void)lh_stacks_build(stacks, &record, again, MOST);
    assert_int_equal(lh_stacks_number(stacks), 0); /* it has frames that no word of it tells */
    record.python_count = 0;
    lh_stacks_give_up(stacks);
    assert_int_equal(lh_stacks_build(stacks, &record, again, MOST), count);
    assert_int_not_equal(lh_stacks_number(stacks), number); /* names were looked up again */
    expect_function(&again[0], "inner");
    expect_truth(again, count);
    lh_stacks_close(stacks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_equal_stack_is_known),
        cmocka_unit_test(test_one_other_word_is_another_stack),
        cmocka_unit_test(test_whatever_changes_the_frames_are_those_of_a_first_look),
        cmocka_unit_test(test_a_map_that_has_changed_is_looked_at),
        cmocka_unit_test(test_so_many_are_remembered_and_no_more),
        cmocka_unit_test(test_stacks_with_the_same_number_have_the_same_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

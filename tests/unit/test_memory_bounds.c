/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of one program has a bound, whatever that program says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/report/profile.h"
#include "collect/report/unended.h"
#include "collect/sink/source.h"
#include "collect/stack/jit_map.h"
#include "collect/sys/memory.h"
#include "common/text.h"
#include "common/told.h"
#include "measured_memory.h"
#include "new_ring.h"

#define MIB (1u << 20)

static uint64_t before;

static void begin(void)
{
    malloc_trim(0);
    before = lh_memory_own();
}

/* More than this is needed since begin(), and less than that. */
static void assert_grown(uint64_t least, uint64_t most)
{
    malloc_trim(0);
    uint64_t now = lh_memory_own();
    assert_in_range(now > before ? now - before : 0, least, most);
}

static void write_lines(const char *path, size_t bytes)
{
    static char lines[64];
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    memset(lines, 'x', sizeof(lines));
    lines[sizeof(lines) - 1] = '\n';
    for (size_t done = 0; done < bytes; done += sizeof(lines))
        assert_int_equal(fwrite(lines, sizeof(lines), 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

static void test_source_files_take_8_mib(void **state)
{
    (void)state;
    if (memory_is_kept())
        skip();
    char directory[] = "/tmp/lh-bounds-XXXXXX";
    char path[64];
    char line[LH_SOURCE_BYTES];
    struct lh_text text;
    assert_non_null(mkdtemp(directory));
    struct lh_source *source = lh_source_new(directory);
    begin();
    for (int round = 0; round < 2; round++) /* each of them is read again */
        for (int i = 0; i < 16; i++) {
            (void)snprintf(path, sizeof(path), "%s/%d.py", directory, i);
            write_lines(path, 2 * MIB);
            lh_text_init(&text, line, sizeof(line));
            lh_source_line(source, path, 30000, 0, &text);
            assert_int_equal(text.length, 63);
        }
    assert_grown(4 * MIB, 12 * MIB);
    lh_source_give_up(source);
    assert_grown(0, 2 * MIB);
    lh_text_init(&text, line, sizeof(line));
    lh_source_line(source, path, 30000, 0, &text);
    assert_int_equal(text.length, 63);
    for (int i = 0; i < 16; i++) {
        (void)snprintf(path, sizeof(path), "%s/%d.py", directory, i);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(directory), 0);
    lh_source_free(source);
}

#define NAMES 30000

/* 30 MB of names, of which each is looked at. */
static void write_map(const char *path)
{
    char name[1000];
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    for (int i = 0; i < NAMES; i++)
        assert_true(fprintf(file, "%x 10 %d%s\n", 0x100000 + i * 16, i, name) > 0);
    assert_int_equal(fclose(file), 0);
}

static void test_names_of_made_code_take_4_mib(void **state)
{
    (void)state;
    if (memory_is_kept())
        skip();
    char path[64];
    struct lh_jit_symbol found;
    int maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    struct lh_jit_map *map = lh_jit_map_new(getpid(), maps_fd);
    close(maps_fd);
    (void)snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
    write_map(path);
    begin();
    for (int i = 0; i < NAMES; i++) {
        lh_jit_map_let_go(map);
        assert_true(lh_jit_map_find(map, 0x100000 + (uint64_t)i * 16, &found));
        assert_int_equal(strtol(found.function, NULL, 10), i);
    }
    assert_grown(0, 8 * MIB);
    lh_jit_map_give_up(map);
    assert_grown(0, MIB);
    assert_true(lh_jit_map_find(map, 0x100000, &found));
    assert_int_equal(strtol(found.function, NULL, 10), 0);
    lh_jit_map_free(map);
    unlink(path);
}

#define FRAMES 256

static const struct lh_frame *stack_of(uint32_t number)
{
    static struct lh_frame frames[FRAMES];
    static char file[200];
    memset(file, 'f', sizeof(file) - 1);
    for (uint32_t i = 0; i < FRAMES; i++)
        frames[i] = (struct lh_frame){
            .lang = LH_LANG_PYTHON, .function = "function", .file = file, .line = number + 1};
    return frames;
}

static void test_samples_take_32_mib(void **state)
{
    (void)state;
    if (memory_is_kept())
        skip();
    struct lh_record *record = calloc(1, sizeof(*record));
    struct lh_profile *profile = lh_profile_new();
    const struct lh_sample *samples;
    begin();
    record->elapsed_ns = LH_SAMPLE_NS;
    for (uint32_t tid = 1; tid <= 64; tid++)
        for (uint32_t number = 0; number < 20; number++) {
            record->tid = tid;
            record->stall.iteration_id = tid;
            lh_profile_add(profile, record, stack_of(number), FRAMES);
        }
    assert_grown(24 * MIB, 40 * MIB);
    record->tid = 1;
    record->stall.iteration_id = 1;
    assert_int_equal(lh_profile_take(profile, record, &samples), 20);
    record->stall.iteration_id = 2; /* what it had makes room */
    lh_profile_add(profile, record, stack_of(0), FRAMES);
    assert_int_equal(lh_profile_take(profile, record, &samples), 1);
    lh_profile_free(profile);
    free(record);
}

static void test_what_has_not_ended_takes_16_mib_and_is_counted(void **state)
{
    (void)state;
    if (memory_is_kept())
        skip();
    struct lh_record *record = calloc(1, sizeof(*record));
    struct lh_ring *ring = new_ring();
    struct lh_unended_list *list = lh_unended_new();
    struct lh_totals totals = {0};
    record->type = LH_EVENT_INFLIGHT;
    begin();
    for (uint64_t id = 1; id <= LH_RING_TOLD; id++) {
        record->id = id;
        lh_told_begin(ring, id, LH_TOLD_CALL);
        lh_unended_put(list, ring, record, stack_of(0), FRAMES);
    }
    assert_grown(8 * MIB, 24 * MIB);
    while (lh_unended_next(list, ring) != NULL)
        continue;
    lh_unended_count(list, ring, &totals);
    assert_int_equal(atomic_load(&totals.blocks), LH_RING_TOLD);
    lh_unended_free(list);
    free(ring);
    free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source_files_take_8_mib),
        cmocka_unit_test(test_names_of_made_code_take_4_mib),
        cmocka_unit_test(test_samples_take_32_mib),
        cmocka_unit_test(test_what_has_not_ended_takes_16_mib_and_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

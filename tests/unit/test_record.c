/* SPDX-License-Identifier: Apache-2.0 */
/* Records as the library makes them, in memory where anything else has been before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/state/image.h"
#include "preload/state/record.h"
#include "preload/sys/clock.h"

static struct lh_ring *ring;
static struct lh_record taken;

static int make_process(void **state)
{
    (void)state;
    size_t bytes = sizeof(struct lh_process) + sizeof(struct lh_ring);
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -1;
    lh_options_init(&lh_options);
    lh_clock_init();
    lh_clock_start();
    lh_process = (struct lh_process *)memory;
    ring = (struct lh_ring *)(memory + sizeof(struct lh_process));
    lh_ring_init(ring, (uint32_t)getpid(), &lh_options);
    atomic_store(&lh_process->ring, ring);
    atomic_store(&lh_process->pid, (uint32_t)getpid());
    return 0;
}

static void test_record_is_sound_whatever_stood_there_before(void **state)
{
    static const int before[] = {0x00, 0x01, 0x7f, 0xff};
    (void)state;
    const struct lh_call_copy copy = {.tid = (uint32_t)syscall(SYS_gettid)};
    uint64_t position = 0;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
        for (enum lh_event type = 0; type < LH_EVENT_COUNT; type++) {
            memset(ring->records, before[i], sizeof(struct lh_record));
            struct lh_record *record = lh_record_begin(type, &copy, 5, true);
            assert_non_null(record);
            lh_record_publish(record);
            assert_true(lh_ring_take(ring, &position, &taken));
            atomic_store(&ring->written, (uint32_t)position);
            assert_int_equal(taken.type, type);
            assert_int_equal(taken.elapsed_ns, 5);
            assert_true(lh_record_check(&taken));
            assert_false(lh_resource_has_child(&taken.resource));
        }
}

static void test_record_made_apart_is_what_is_read(void **state)
{
    static struct lh_record apart;
    (void)state;
    const struct lh_call_copy copy = {.tid = (uint32_t)syscall(SYS_gettid)};
    uint64_t position = lh_ring_resume(ring);
    memset(&apart, 0xff, sizeof(apart));
    lh_record_begin_apart(&apart, LH_EVENT_BLOCK, &copy, 7, true);
    apart.stack_length = 300;
    apart.strings_length = 4;
    apart.python_count = 1;
    apart.python[0] = (struct lh_python_frame){.line = 12, .function = 2};
    memcpy(apart.strings, "a\0b", 4);
    lh_record_publish_apart(&apart);
    assert_true(lh_ring_take(ring, &position, &taken));
    assert_true(lh_record_check(&taken));
    assert_int_equal(taken.python[0].line, 12);
    assert_memory_equal(taken.strings, "a\0b", 4);
    assert_int_equal(taken.stack_length, 300);
    assert_memory_equal(taken.stack, apart.stack, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_is_sound_whatever_stood_there_before),
        cmocka_unit_test(test_record_made_apart_is_what_is_read),
    };
    return cmocka_run_group_tests(tests, make_process, NULL);
}

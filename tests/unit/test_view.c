/* SPDX-License-Identifier: Apache-2.0 */
/* A capture's view of memory: what it reads is what is there, however it was fetched, and how often
 * the kernel is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/sys/memory.h"
#include "preload/sys/view.h"

#define PAGE   4096u
#define PAGES  600u /* more than a store has room for */
#define EVERY  7u   /* of so many pages … */
#define HOLE   6u   /* … this one cannot be read */
#define ROUNDS 20000

static uint8_t *area;
static struct lh_view_store stores[LH_VIEW_STORES];
static struct lh_view view;
static uint32_t asked;  /* how often the kernel was asked … */
static uint32_t pieces; /* … for so many pieces together */

static size_t count_parts(uint32_t tid, void *to, const struct iovec *parts, size_t count)
{
    asked++;
    pieces += (uint32_t)count;
    return lh_memory_parts_self(tid, to, parts, count);
}

static int count_read(void *to, uintptr_t address, size_t size)
{
    asked++;
    pieces++;
    return lh_memory_read_self(to, address, size);
}

static int make_view(void **state)
{
    (void)state;
    area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return -1;
    for (size_t i = 0; i < PAGES * PAGE; i++)
        area[i] = (uint8_t)(i * 31 + i / PAGE);
    memset(stores, 0, sizeof(stores));
    view = (struct lh_view){.read = count_read, .parts = count_parts};
    lh_view_open(&view, stores);
    asked = pieces = 0;
    return view.store == NULL ? -1 : 0;
}

static int drop_view(void **state)
{
    (void)state;
    lh_view_close(&view);
    return munmap(area, PAGES * PAGE);
}

static uintptr_t at(size_t place)
{
    return (uintptr_t)area + place;
}

static void assert_read(size_t place, size_t size)
{
    static uint8_t copy[PAGE * 2 + 1];
    memset(copy, 0xa5, sizeof(copy));
    assert_int_equal(lh_view_read(&view, copy, at(place), size), 0);
    assert_memory_equal(copy, area + place, size);
    assert_int_equal(copy[size], 0xa5);
}

static void test_what_is_near_is_read_once(void **state)
{
    (void)state;
    assert_read(100, 8);
    assert_read(100, 8);
    assert_read(0, 200);
    assert_int_equal(asked, 1);
}

static void test_what_is_wanted_is_fetched_at_once(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        lh_view_want(&view, at(i * PAGE + 100), 300);
    lh_view_fetch(&view);
    assert_int_equal(asked, 1);
    assert_int_equal(pieces, 40);
    for (uint32_t i = 0; i < 40; i++)
        assert_read(i * PAGE + 100, 300);
    assert_int_equal(asked, 1);
}

static void test_what_is_wanted_is_fetched_with_the_first_reading(void **state)
{
    (void)state;
    lh_view_want_page(&view, at(PAGE + 5));
    assert_read(3 * PAGE, 8);
    assert_read(PAGE, 700);
    assert_read(2 * PAGE - 1, 1);
    assert_int_equal(asked, 1);
}

static void test_near_pieces_of_a_page_are_one(void **state)
{
    (void)state;
    lh_view_want(&view, at(2 * LH_VIEW_LINE), 8);
    lh_view_want(&view, at(9 * LH_VIEW_LINE), 8);
    lh_view_want(&view, at(0), 8);
    lh_view_want(&view, at(LH_VIEW_LINE), 8);
    lh_view_want(&view, at(PAGE + 8 * LH_VIEW_LINE), 8); /* not of that page */
    lh_view_fetch(&view);
    assert_int_equal(pieces, 2);
    assert_read(0, 4 * LH_VIEW_LINE);
    assert_int_equal(asked, 1);
}

static void test_no_more_is_wanted_than_the_page_has(void **state)
{
    (void)state;
    mprotect(area + PAGE, PAGE, PROT_NONE);
    lh_view_want(&view, at(PAGE - 8), 500);
    lh_view_fetch(&view);
    assert_read(PAGE - 8, 8);
    assert_int_equal(asked, 1);
}

static void test_what_cannot_be_read_says_so_and_spoils_nothing_else(void **state)
{
    (void)state;
    uint64_t word = 1;
    mprotect(area + PAGE, PAGE, PROT_NONE);
    for (uint32_t i = 0; i < 3; i++)
        lh_view_want_page(&view, at(i * PAGE));
    lh_view_fetch(&view);
    assert_int_equal(asked, 2); /* pages 0 and, past the one that fails, 2 */
    assert_read(PAGE - 8, 8);
    assert_read(2 * PAGE, 8);
    assert_int_equal(asked, 2);
    assert_int_equal(lh_view_read(&view, &word, at(PAGE - 4), 8), -EFAULT);
    assert_int_equal(lh_view_read(&view, &word, at(PAGE), 8), -EFAULT);
}

static void test_an_address_that_is_none_fails(void **state)
{
    (void)state;
    static const uintptr_t addresses[] = {0,
                                          8,
                                          PAGE - 1,
                                          0x800000000000,
                                          0xdead000000000000,
                                          UINTPTR_MAX - 3,
                                          UINTPTR_MAX - LH_VIEW_LINE};
    uint64_t words[40];
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        lh_view_want(&view, addresses[i], 320);
        lh_view_want_page(&view, addresses[i]);
        assert_int_equal(lh_view_read(&view, words, addresses[i], 8), -EFAULT);
        assert_int_equal(lh_view_read(&view, words, addresses[i], sizeof(words)), -EFAULT);
    }
    assert_read(0, 8);
}

/* Memory that changes between captures, and one that has gone. */
static void test_nothing_that_was_read_outlives_its_capture(void **state)
{
    (void)state;
    assert_read(10, 8);
    assert_read(5 * PAGE, 8);
    area[10] ^= 0xff;
    munmap(area + 5 * PAGE, PAGE);
    lh_view_close(&view);
    lh_view_open(&view, stores);
    assert_read(10, 8);
    uint64_t word;
    assert_int_equal(lh_view_read(&view, &word, at(5 * PAGE), 8), -EFAULT);
    area[10] ^= 0xff;
    lh_view_forget(&view);
    assert_read(10, 8);
}

static void test_what_was_not_foreseen_comes_first_next_time(void **state)
{
    (void)state;
    for (int capture = 0; capture < 3; capture++) {
        lh_view_forget(&view);
        asked = 0;
        for (uint32_t i = 0; i < 20; i++)
            assert_read(i * 3 * PAGE, 8);
        assert_int_equal(asked,
                         capture == 0 ? 20 : 0); /* it was fetched as the store was emptied */
    }
    lh_view_forget(&view); /* nothing of it is read this time */
    pieces = 0;
    lh_view_forget(&view);
    assert_int_equal(pieces, 0);
}

static void test_each_capture_at_the_same_time_has_a_store(void **state)
{
    (void)state;
    struct lh_view others[LH_VIEW_STORES];
    for (uint32_t i = 0; i < LH_VIEW_STORES; i++) {
        others[i] = (struct lh_view){.read = count_read, .parts = count_parts};
        lh_view_open(&others[i], stores);
        assert_ptr_not_equal(others[i].store, view.store);
    }
    struct lh_view *without = &others[LH_VIEW_STORES - 1];
    uint64_t word;
    assert_null(without->store);
    lh_view_want(without, at(0), 8);
    lh_view_fetch(without);
    assert_int_equal(lh_view_read(without, &word, at(16), 8), 0);
    assert_memory_equal(&word, area + 16, 8);
    lh_view_close(&others[0]);
    lh_view_open(without, stores);
    assert_non_null(without->store);
}

/* Whatever is wanted and read in whatever order, with pages that cannot be read in between, and
 * more of it than there is room for. */
static void test_all_that_is_read_is_what_is_there(void **state)
{
    (void)state;
    uint8_t copy[5 * LH_VIEW_LINE];
    srand(1);
    for (uint32_t page = HOLE; page < PAGES; page += EVERY)
        mprotect(area + page * PAGE, PAGE, PROT_NONE);
    for (int i = 0; i < ROUNDS; i++) {
        size_t place = (size_t)rand() % ((PAGES - 1) * PAGE);
        size_t size = 1 + (size_t)rand() % sizeof(copy);
        bool is_hole = place / PAGE % EVERY == HOLE || (place + size - 1) / PAGE % EVERY == HOLE;
        if (rand() % 2 == 0)
            lh_view_want(&view, at(place), size);
        else if (rand() % 3 == 0)
            lh_view_want_page(&view, at(place));
        else
            assert_int_equal(lh_view_read(&view, copy, at(place), size), is_hole ? -EFAULT : 0);
        if (i % 1000 == 0)
            lh_view_forget(&view);
        if (!is_hole && lh_view_read(&view, copy, at(place), size) == 0)
            assert_memory_equal(copy, area + place, size);
    }
    assert_int_equal(lh_view_asked(&view), asked);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_view, drop_view)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_near_is_read_once),
        TEST(test_what_is_wanted_is_fetched_at_once),
        TEST(test_what_is_wanted_is_fetched_with_the_first_reading),
        TEST(test_near_pieces_of_a_page_are_one),
        TEST(test_no_more_is_wanted_than_the_page_has),
        TEST(test_what_cannot_be_read_says_so_and_spoils_nothing_else),
        TEST(test_an_address_that_is_none_fails),
        TEST(test_nothing_that_was_read_outlives_its_capture),
        TEST(test_what_was_not_foreseen_comes_first_next_time),
        TEST(test_each_capture_at_the_same_time_has_a_store),
        TEST(test_all_that_is_read_is_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

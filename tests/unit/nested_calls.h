/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of a test program itself: nested calls of known names, captured in wrapper(). */
#ifndef LH_TESTS_UNIT_NESTED_CALLS_H
#define LH_TESTS_UNIT_NESTED_CALLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdlib.h>

#include "capture.h"
#include "collect/stack/stack.h"

#define MOST         64u
#define NOINLINE     __attribute__((noinline))
#define KEEP_FRAME() __asm__ volatile("" ::: "memory") /* no tail call */

static struct lh_record record;
static void *truth[MOST];
static int truth_count;
static int call_line; /* where outer() calls middle() */

NOINLINE static void wrapper(void)
{
    truth_count = backtrace(truth, MOST);
    CAPTURE_HERE(&record);
}

NOINLINE static void inner(void)
{
    wrapper();
    KEEP_FRAME();
}

NOINLINE static void middle(void)
{
    volatile char room[512];
    room[0] = 1;
    inner();
    room[1] = room[0];
}

NOINLINE static void outer(void)
{
    // clang-format off
    middle(); call_line = __LINE__;
    // clang-format on
    KEEP_FRAME();
}

static struct lh_stacks *open_self(void)
{
    struct lh_stacks *stacks =
        lh_stacks_open(getpid(), open("/proc/self/maps", O_RDONLY | O_CLOEXEC), "");
    assert_non_null(stacks);
    return stacks;
}

static inline bool ends_with(const char *text, const char *end)
{
    return text != NULL && strlen(text) >= strlen(end) &&
           strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static void expect_function(const struct lh_frame *frame, const char *function)
{
    assert_int_equal(frame->lang, LH_LANG_NATIVE);
    assert_non_null(frame->function);
    assert_string_equal(frame->function, function);
}

/* truth[0] is in wrapper(), which is not reported; under AddressSanitizer its backtrace() is the
 * very first. */
static void expect_truth(const struct lh_frame *frames, uint32_t count)
{
    uint32_t compiled = 0; /* those that were inlined have no frame of their own in the truth */
    for (uint32_t i = 0; i < count; i++)
        compiled += !frames[i].inlined;
    uint32_t skip = (uint32_t)truth_count - compiled;
    assert_in_range(skip, 1, 2);
    for (uint32_t i = 0, at = skip; i < count; at += !frames[i].inlined, i++) {
        Dl_info info;
        assert_int_not_equal(dladdr(truth[at], &info), 0);
        /* backtrace(3) may be libunwind's, which before 1.5 gives the byte before. */
        uint64_t expected = (uint64_t)truth[at] - (uint64_t)info.dli_fbase;
        assert_in_range(frames[i].offset, expected, expected + 1);
        /* The kernel's own library is where signal handlers return to on some processors. */
        assert_true(frames[i].module[0] == '/' || strcmp(frames[i].module, "[vdso]") == 0);
    }
}

#endif

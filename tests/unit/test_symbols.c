/* SPDX-License-Identifier: Apache-2.0 */
/* What is found in the loaded objects' symbol tables, against libc's dlsym(3), dlvsym(3). Here the
 * library's code is the program's: after us is after the program. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/call_ids.h"
#include "common/calls.h"
#include "preload/sys/symbols.h"

#define VERSIONS 4

/* A sanitizer's program has functions of libc's names of its own, which dlsym(3) finds first. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

static void *found(enum lh_symbol_scope scope, const char *name, const char *version)
{
    struct lh_symbol symbol = {NULL, 0, 0};
    return lh_symbol_find(scope, name, version, &symbol) == 0 ? symbol.address : NULL;
}

static void every_call_is_where_dlsym_says(void **state)
{
    int there = 0;
    (void)state;
    if (IS_SANITIZED)
        skip();
    for (int call = 0; call < LH_CALL_COUNT; call++) {
        const char *name = lh_call_info((enum lh_call)call)->canonical;
        void *expected = dlsym(RTLD_DEFAULT, name); /* RTLD_NEXT: the oldest, before 2.36 */
        assert_ptr_equal(found(LH_SYMBOL_AFTER_US, name, NULL), expected);
        there += expected != NULL;
    }
    assert_true(there > 100);
}

/* libc's first version on this processor. */
#ifdef __aarch64__
#define OLD "GLIBC_2.17"
#else
#define OLD "GLIBC_2.2.5"
#endif

static void a_version_is_where_dlvsym_says(void **state)
{
    static const char *const versions[] = {OLD, "GLIBC_2.27", "GLIBC_2.34"};
    static const char *const names[] = {"glob", "pthread_cond_timedwait", "read"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (size_t j = 0; j < sizeof(versions) / sizeof(versions[0]); j++)
            assert_ptr_equal(found(LH_SYMBOL_AFTER_US, names[i], versions[j]),
                             dlvsym(RTLD_NEXT, names[i], versions[j]));
    assert_ptr_not_equal(found(LH_SYMBOL_AFTER_US, "glob", OLD),
                         found(LH_SYMBOL_AFTER_US, "glob", "GLIBC_2.27"));
}

/* `get` says where a search for a call, in a version, has ended. */
static void search_for_all(void **get)
{
    static const char *const versions[] = {NULL, OLD, "GLIBC_2.27", "GLIBC_9.9"};
    for (int call = 0; call < LH_CALL_COUNT; call++)
        for (int i = 0; i < VERSIONS; i++)
            get[call * VERSIONS + i] =
                found(LH_SYMBOL_AFTER_US, lh_call_info((enum lh_call)call)->canonical, versions[i]);
}

/* As often as `what` is found without a lock, after it was noted. */
static int count_noted(void *const *what)
{
    int there = 0;
    for (int call = 0; call < LH_CALL_COUNT; call++) {
        const char *name = lh_call_info((enum lh_call)call)->canonical;
        void *noted = found(LH_SYMBOL_NOTED, name, NULL);
        if (noted != NULL)
            assert_ptr_equal(noted, what[call * VERSIONS]);
        there += noted != NULL;
    }
    return there;
}

/* In this order: what is noted stays. */
static void what_is_noted_is_what_is_found_without(void **state)
{
    static void *before[LH_CALL_COUNT * VERSIONS];
    static void *after[LH_CALL_COUNT * VERSIONS];
    (void)state;
    search_for_all(before);
    lh_symbols_note((uintptr_t)&before);
    assert_int_equal(count_noted(before), 0); /* there is no such object behind us */
    lh_symbols_note((uintptr_t)dlsym(RTLD_NEXT, "gnu_get_libc_version"));
    assert_true(count_noted(before) > 100);
    search_for_all(after);
    assert_memory_equal(before, after, sizeof(before));
}

/* The kernel's vDSO has one too, for libc alone. */
static void the_clock_is_libcs(void **state)
{
    (void)state;
    if (IS_SANITIZED)
        skip();
    assert_ptr_equal(found(LH_SYMBOL_ANYWHERE, "clock_gettime", NULL),
                     dlsym(RTLD_NEXT, "clock_gettime"));
}

static void what_nobody_defines_is_not_found(void **state)
{
    struct lh_symbol symbol;
    (void)state;
    assert_int_equal(lh_symbol_find(LH_SYMBOL_ANYWHERE, "loophound_no_such", NULL, &symbol),
                     -ENOENT);
    assert_int_equal(lh_symbol_find(LH_SYMBOL_ANYWHERE, "read", "GLIBC_9.9", &symbol), -ENOENT);
}

static void the_object_of_an_address_is_where_dladdr_says(void **state)
{
    char path[1024];
    Dl_info info;
    (void)state;
    assert_true(dladdr(dlsym(RTLD_NEXT, "read"), &info) != 0);
    assert_int_equal(lh_object_path((uintptr_t)dlsym(RTLD_NEXT, "read"), path, sizeof(path)), 0);
    assert_string_equal(path, info.dli_fname);
    assert_int_equal(lh_object_path((uintptr_t)dlsym(RTLD_NEXT, "read"), path, 3), -ENAMETOOLONG);
    assert_int_equal(lh_object_path((uintptr_t)&path, path, sizeof(path)), -ENOENT);
}

/* libutil.so.1 is libc's, and nothing of a test's needs it. */
static void loads_are_counted(void **state)
{
    uint64_t before = lh_symbols_loads();
    (void)state;
    assert_true(before != 0);
    assert_true(lh_symbols_loads() == before);
    assert_non_null(dlopen("libutil.so.1", RTLD_NOW));
    assert_true(lh_symbols_loads() > before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_where_dlsym_says),
        cmocka_unit_test(a_version_is_where_dlvsym_says),
        cmocka_unit_test(what_is_noted_is_what_is_found_without),
        cmocka_unit_test(the_clock_is_libcs),
        cmocka_unit_test(what_nobody_defines_is_not_found),
        cmocka_unit_test(the_object_of_an_address_is_where_dladdr_says),
        cmocka_unit_test(loads_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Function names as a person writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "collect/stack/demangle.h"

static void expect(const char *name, const char *readable)
{
    struct lh_demangler *names = lh_demangler_new();
    assert_non_null(names);
    assert_string_equal(lh_demangle(names, name), readable);
    assert_string_equal(lh_demangle(names, name), readable);
    lh_demangler_free(names);
}

static void test_cxx_names_are_written_out_without_their_parameters(void **state)
{
    (void)state;
    expect("_ZN2ns1fIiEEvT_", "ns::f<int>");
    expect("_ZN4shop4CartIiE4waitEi.isra.0", "shop::Cart<int>::wait");
    expect("_ZNSt6vectorIiSaIiEE9push_backERKi",
           "std::vector<int, std::allocator<int> >::push_back");
    expect("_ZN12_GLOBAL__N_15innerEv", "(anonymous namespace)::inner");
    expect("_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()");
}

static void test_rust_names_of_both_schemes_are_written_out_without_their_hash(void **state)
{
    (void)state;
    expect("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write");
    expect("_RNvNtCs4Wi3xxxxxxx_5hello4main5outer", "hello::main::outer");
}

static void test_other_names_stay_as_they_are(void **state)
{
    (void)state;
    expect("epoll_wait", "epoll_wait");
    expect("", "");
    expect("_Z", "_Z");
    expect("_ZNotAName", "_ZNotAName");
    expect("_Rust", "_Rust");
}

static void test_symbol_versions_are_cut(void **state)
{
    (void)state;
    expect("memcpy@@GLIBC_2.14", "memcpy");
    expect("@nothing", "@nothing");
}

static void test_each_name_is_kept_once(void **state)
{
    (void)state;
    struct lh_demangler *names = lh_demangler_new();
    const char *first = lh_demangle(names, "_ZN2ns1fEv");
    char text[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "name%d", i);
        lh_demangler_keep(names, text);
    }
    assert_ptr_equal(lh_demangle(names, "_ZN2ns1fEi"), first);
    lh_demangler_free(names);
}

static void test_name_of_endless_meaning_is_cut(void **state)
{
    (void)state;
    static const char repeated[] = "St4pairIiiE";
    char name[900];
    size_t length = 0;
    struct lh_demangler *names = lh_demangler_new();
    length += (size_t)snprintf(name, sizeof(name), "_Z1fI");
    while (length < sizeof(name) - 100)
        length += (size_t)snprintf(name + length, sizeof(name) - length, "%s", repeated);
    snprintf(name + length, sizeof(name) - length, "EvT_");
    const char *readable = lh_demangle(names, name);
    assert_in_range(strlen(readable), 1000, 1100);
    assert_int_equal(strncmp(readable, "f<std::pair<int, int>", 21), 0);

    length = (size_t)snprintf(name, sizeof(name), "_Z");
    while (length < sizeof(name) - 1)
        length += (size_t)snprintf(name + length, sizeof(name) - length, "N");
    assert_string_equal(lh_demangle(names, name), name);
    lh_demangler_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cxx_names_are_written_out_without_their_parameters),
        cmocka_unit_test(test_rust_names_of_both_schemes_are_written_out_without_their_hash),
        cmocka_unit_test(test_other_names_stay_as_they_are),
        cmocka_unit_test(test_symbol_versions_are_cut),
        cmocka_unit_test(test_each_name_is_kept_once),
        cmocka_unit_test(test_name_of_endless_meaning_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

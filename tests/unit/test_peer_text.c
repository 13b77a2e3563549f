/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as text. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "common/peer_text.h"

static struct lh_resource resource;

static void set_address(const void *address, size_t length)
{
    resource.kind = LH_RESOURCE_SOCKET;
    resource.length = (uint16_t)length;
    memset(resource.text, '#', sizeof(resource.text));
    memcpy(resource.text, address, length);
}

static void set_ipv6(const char *text, uint32_t scope)
{
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_scope_id = scope};
    assert_int_equal(inet_pton(AF_INET6, text, &address.sin6_addr), 1);
    set_address(&address, sizeof(address));
}

static void assert_peer(const char *expected)
{
    char peer[128];
    assert_true(lh_peer_text(&resource, peer, sizeof(peer)));
    assert_string_equal(peer, expected);
}

static void assert_no_peer(void)
{
    char peer[128];
    assert_false(lh_peer_text(&resource, peer, sizeof(peer)));
}

static void test_ipv4_addresses_come_with_their_port(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(65535)};
    assert_int_equal(inet_pton(AF_INET, "192.0.2.255", &address.sin_addr), 1);
    set_address(&address, sizeof(address));
    assert_peer("192.0.2.255:65535");
    resource.length--;
    assert_no_peer();
}

static void test_ipv6_addresses_are_as_libc_writes_them(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "::",        "::1",          "1::",           "2001:db8::1",         "1:2:3:4:5:6:7:8",
        "1:0:0:2::", "1::2:0:0:3:4", "0:1:2:3:4:5::", "1:0:2:3:4:5:6:7",     "fe80::abcd:ef01",
        "1:2::3:4",  "::ffff:0:0:1", "1:0:0:2:3::",   "::ffff:192.168.0.10", "ff02::1:ff00:0"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct in6_addr address;
        char libc[INET6_ADDRSTRLEN];
        char expected[INET6_ADDRSTRLEN + 8];
        assert_int_equal(inet_pton(AF_INET6, texts[i], &address), 1);
        inet_ntop(AF_INET6, &address, libc, sizeof(libc));
        snprintf(expected, sizeof(expected), "[%s]:80", libc);
        set_ipv6(texts[i], 0);
        assert_peer(expected);
    }
    set_ipv6("fe80::1", 2);
    assert_peer("[fe80::1%2]:80");
    resource.length--;
    assert_no_peer();
}

static void test_unix_sockets_are_paths_or_abstract_names(void **state)
{
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/x.sock"};
    size_t start = offsetof(struct sockaddr_un, sun_path);
    set_address(&address, sizeof(address));
    assert_peer("/run/x.sock");
    set_address(&address, start + 6); /* no NUL inside the length */
    assert_peer("/run/x");
    memcpy(address.sun_path, "\0abc", 4);
    set_address(&address, start + 4);
    assert_peer("@abc");
    set_address(&address, start);
    assert_no_peer();
    char too_long[sizeof(address) + 1]; /* bytes past the end are not part of the path */
    char longest[sizeof(address.sun_path) + 1] = "";
    memset(too_long, 'p', sizeof(too_long));
    memcpy(too_long, &address.sun_family, sizeof(address.sun_family));
    set_address(too_long, sizeof(too_long));
    memset(longest, 'p', sizeof(address.sun_path));
    assert_peer(longest);
}

static void test_other_families_have_no_peer(void **state)
{
    (void)state;
    struct sockaddr address = {.sa_family = AF_NETLINK};
    set_address(&address, sizeof(address));
    assert_no_peer();
    resource.length = 1;
    assert_no_peer();
    struct sockaddr_in file = {.sin_family = AF_INET};
    set_address(&file, sizeof(file));
    resource.kind = LH_RESOURCE_FILE;
    assert_no_peer();
}

static void test_hosts_by_number_have_no_port(void **state)
{
    (void)state;
    struct in_addr four;
    struct in6_addr six;
    char text[64];
    assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &four), 1);
    assert_int_equal(lh_address_text(AF_INET, &four, text, sizeof(text)), 9);
    assert_string_equal(text, "192.0.2.7");
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &six), 1);
    assert_int_equal(lh_address_text(AF_INET6, &six, text, sizeof(text)), 11);
    assert_string_equal(text, "2001:db8::1");
    assert_int_equal(lh_address_text(AF_UNIX, &six, text, sizeof(text)), 0);
    assert_int_equal(lh_address_text(AF_INET, &four, text, 4), 3);
    assert_string_equal(text, "192");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4_addresses_come_with_their_port),
        cmocka_unit_test(test_ipv6_addresses_are_as_libc_writes_them),
        cmocka_unit_test(test_unix_sockets_are_paths_or_abstract_names),
        cmocka_unit_test(test_other_families_have_no_peer),
        cmocka_unit_test(test_hosts_by_number_have_no_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

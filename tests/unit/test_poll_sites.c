/* SPDX-License-Identifier: Apache-2.0 */
/* When a thread turns like an event loop in poll or select: the rule of preload/loop/poll_sites.h,
 * in sequences of calls, and the descriptors that it takes for anchors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/loop/anchor.h"
#include "preload/loop/poll_sites.h"

#define SITE  0x1000
#define OTHER 0x2000

static struct pollfd array[8];
static struct lh_poll_site table[LH_POLL_SITES];

static int begin(void **state)
{
    (void)state;
    memset(table, 0, sizeof(table));
    return 0;
}

static const struct lh_poll_site *turn(uintptr_t site, uint32_t count, bool looks)
{
    const struct lh_poll_wait wait = {.site = site, .count = count, .looks = looks, .fds = array};
    return lh_poll_sites_note(table, &wait);
}

static void test_third_wait_for_several_descriptors_is_looked_at(void **state)
{
    (void)state;
    assert_null(turn(SITE, 2, false));
    assert_null(turn(SITE, 2, false));
    assert_non_null(turn(SITE, 2, false));
}

static void test_waits_for_one_descriptor_are_never_looked_at(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++)
        assert_null(turn(SITE, 1, false));
}

static void test_looks_at_one_descriptor_are_never_looked_at(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++)
        assert_null(turn(SITE, 1, true));
}

static void test_one_descriptor_that_is_waited_for_and_looked_at_is_looked_at(void **state)
{
    (void)state;
    assert_null(turn(SITE, 1, true));
    assert_null(turn(SITE, 1, false));
    assert_non_null(turn(SITE, 1, true));
}

static void test_second_descriptor_is_looked_at_as_soon_as_it_is_there(void **state)
{
    (void)state;
    for (int i = 0; i < 21; i++)
        assert_null(turn(SITE, 1, false));
    assert_non_null(turn(SITE, 2, false));
    assert_null(turn(SITE, 2, false));
}

static void test_the_same_again_is_looked_at_ever_more_seldom(void **state)
{
    (void)state;
    int looked_at = 0;
    for (int i = 0; i < 100000; i++)
        looked_at += turn(SITE, 2, false) != NULL;
    assert_in_range(looked_at, 10, 20);
}

static void test_ever_new_sets_are_not_looked_at_for_ever(void **state)
{
    (void)state;
    int looked_at = 0;
    for (int i = 0; i < 100000; i++)
        looked_at += turn(SITE, 2 + (uint32_t)i % 1000, false) != NULL;
    assert_in_range(looked_at, 10, 60);
}

static void test_sites_are_counted_apart(void **state)
{
    (void)state;
    assert_null(turn(SITE, 2, false));
    assert_null(turn(OTHER, 2, false));
    assert_null(turn(SITE, 2, false));
    assert_null(turn(OTHER, 2, false));
    assert_non_null(turn(SITE, 2, false));
}

static void test_clients_at_many_sites_do_not_push_a_loop_out(void **state)
{
    (void)state;
    assert_null(turn(SITE, 2, false));
    assert_null(turn(SITE, 2, false));
    for (uintptr_t site = OTHER; site < OTHER + 100; site++)
        assert_null(turn(site, 1, false));
    assert_non_null(turn(SITE, 2, false));
}

static void test_polling_nothing_is_a_sleep(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_null(turn(SITE, 0, i % 2 == 0));
}

/* ---- anchors ---- */

static const struct lh_poll_site waits_only = {.waits = 3, .waited = true};
static const struct lh_poll_site looks_and_waits = {.waits = 3, .waited = true, .looked = true};

/* The anchor among up to two descriptors to be read, by poll and by select alike; -1: none. */
static int anchor_of(int one, int other, const struct lh_poll_site *site)
{
    struct lh_anchor by_poll = {.fd = -1}, by_select = {.fd = -1};
    struct pollfd fds[] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    fd_set reads;
    FD_ZERO(&reads);
    FD_SET(one, &reads);
    if (other >= 0)
        FD_SET(other, &reads);
    const struct lh_poll_wait poll = {.site = SITE, .count = 2, .fds = fds};
    const struct lh_poll_wait select = {
        .site = SITE, .count = (uint32_t)(one > other ? one : other) + 1, .reads = &reads};
    assert_int_equal(lh_anchor_find(&by_poll, &poll, site),
                     lh_anchor_find(&by_select, &select, site));
    assert_int_equal(by_poll.fd, by_select.fd);
    return by_poll.fd;
}

static int listener(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void test_listening_socket_is_an_anchor_beside_another_descriptor(void **state)
{
    (void)state;
    int fd = listener(), other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(anchor_of(fd, other, &waits_only), fd);
    assert_int_equal(anchor_of(fd, -1, &waits_only), -1);
    assert_int_equal(anchor_of(fd, -1, &looks_and_waits), -1);
    close(fd);
    close(other);
}

/* Whose ends have numbers next to each other, as those of nearly all: somebody else may make a
 * socket in between. */
static void make_pair(int pair[2])
{
    struct stat ends[2];
    for (;;) {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(fstat(pair[0], &ends[0]) | fstat(pair[1], &ends[1]), 0);
        if (ends[1].st_ino == ends[0].st_ino + 1)
            return;
        close(pair[0]);
        close(pair[1]);
    }
}

static void test_wakeup_is_an_anchor_where_it_is_waited_for_and_looked_at(void **state)
{
    (void)state;
    int pair[2], ends[2], event = eventfd(0, EFD_CLOEXEC);
    make_pair(pair);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    const int wakeups[] = {event, pair[0], pair[1], ends[0]};
    for (size_t i = 0; i < sizeof(wakeups) / sizeof(wakeups[0]); i++) {
        assert_int_equal(anchor_of(wakeups[i], -1, &looks_and_waits), wakeups[i]);
        assert_int_equal(anchor_of(wakeups[i], -1, &waits_only), -1);
    }
    close(pair[1]);
    close(ends[1]);
    assert_int_equal(anchor_of(pair[0], ends[0], &looks_and_waits), -1);
    close(pair[0]);
    close(ends[0]);
    close(event);
}

static void test_plain_sockets_are_no_anchors(void **state)
{
    (void)state;
    int one = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(anchor_of(one, other, &looks_and_waits), -1);
    close(one);
    close(other);
}

static void test_park_is_the_site_with_its_anchor(void **state)
{
    (void)state;
    struct lh_anchor anchor = {.fd = -1};
    struct pollfd fds[40], others[40];
    int fd = listener(), plain = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < 40; i++)
        fds[i] = others[i] = (struct pollfd){.fd = plain, .events = POLLIN};
    fds[1].fd = fd;
    struct lh_poll_wait wait = {.site = SITE, .count = 40, .fds = fds};
    assert_true(lh_anchor_find(&anchor, &wait, &waits_only));
    wait.fds = others;
    assert_false(lh_anchor_holds(&anchor, &wait));
    others[39].fd = fd;
    assert_true(lh_anchor_holds(&anchor, &wait));
    others[39].fd = plain; /* not accepting just now: the array is known */
    assert_true(lh_anchor_holds(&anchor, &wait));
    wait.fds = fds;
    wait.site = OTHER;
    assert_false(lh_anchor_holds(&anchor, &wait));
    assert_true(lh_anchor_lives(&anchor));
    assert_int_equal(dup2(plain, fd), fd);
    assert_false(lh_anchor_lives(&anchor));
    close(fd);
    assert_false(lh_anchor_lives(&anchor));
    close(plain);
}

static void test_bad_pointers_are_not_followed(void **state)
{
    (void)state;
    struct lh_anchor anchor = {.site = SITE, .fd = 3};
    char *hole = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct lh_poll_wait poll = {.site = SITE, .count = 9, .fds = (struct pollfd *)hole};
    const struct lh_poll_wait select = {.site = SITE, .count = 9, .reads = (fd_set *)hole};
    assert_false(lh_anchor_holds(&anchor, &poll));
    assert_false(lh_anchor_holds(&anchor, &select));
    assert_false(lh_anchor_find(&anchor, &poll, &looks_and_waits));
    assert_false(lh_anchor_find(&anchor, &select, &looks_and_waits));
    munmap(hole, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_third_wait_for_several_descriptors_is_looked_at, begin),
        cmocka_unit_test_setup(test_waits_for_one_descriptor_are_never_looked_at, begin),
        cmocka_unit_test_setup(test_looks_at_one_descriptor_are_never_looked_at, begin),
        cmocka_unit_test_setup(test_one_descriptor_that_is_waited_for_and_looked_at_is_looked_at,
                               begin),
        cmocka_unit_test_setup(test_second_descriptor_is_looked_at_as_soon_as_it_is_there, begin),
        cmocka_unit_test_setup(test_the_same_again_is_looked_at_ever_more_seldom, begin),
        cmocka_unit_test_setup(test_ever_new_sets_are_not_looked_at_for_ever, begin),
        cmocka_unit_test_setup(test_sites_are_counted_apart, begin),
        cmocka_unit_test_setup(test_clients_at_many_sites_do_not_push_a_loop_out, begin),
        cmocka_unit_test_setup(test_polling_nothing_is_a_sleep, begin),
        cmocka_unit_test(test_listening_socket_is_an_anchor_beside_another_descriptor),
        cmocka_unit_test(test_wakeup_is_an_anchor_where_it_is_waited_for_and_looked_at),
        cmocka_unit_test(test_plain_sockets_are_no_anchors),
        cmocka_unit_test(test_park_is_the_site_with_its_anchor),
        cmocka_unit_test(test_bad_pointers_are_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Reading our own memory: never a fault, never errno, also where the main thread is gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"
#include "thread_sanitizer.h"

#define PAGE  4096u
#define PAGES 40u

/* PAGES readable pages, each byte telling its place, then one that cannot be read. */
static uint8_t *area;

static uint8_t expected_at(size_t place)
{
    return (uint8_t)(place * 31 + place / PAGE);
}

static int make_area(void **state)
{
    (void)state;
    area =
        mmap(NULL, (PAGES + 1) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        return -1;
    for (size_t i = 0; i < PAGES * PAGE; i++)
        area[i] = expected_at(i);
    return mprotect(area + PAGES * PAGE, PAGE, PROT_NONE);
}

static int drop_area(void **state)
{
    (void)state;
    return munmap(area, (PAGES + 1) * PAGE);
}

static uint8_t copy[(PAGES + 1) * PAGE];

static void assert_copied(size_t place, size_t size)
{
    assert_memory_equal(copy, area + place, size);
}

static void test_readable_memory_is_read(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 8, 100, PAGE, 3 * PAGE + 17};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(copy, 0, sizeof(copy));
        assert_int_equal(lh_memory_read_self(copy, (uintptr_t)area + 5, sizes[i]), 0);
        assert_copied(5, sizes[i]);
        assert_int_equal(copy[sizes[i]], 0);
    }
}

static void test_a_read_that_reaches_unreadable_memory_fails(void **state)
{
    (void)state;
    uintptr_t end = (uintptr_t)area + PAGES * PAGE;
    assert_int_equal(lh_memory_read_self(copy, end - 8, 8), 0);
    assert_int_equal(lh_memory_read_self(copy, end - 8, 9), -EFAULT);
    assert_int_equal(lh_memory_read_self(copy, end - PAGE, 2 * PAGE), -EFAULT);
    assert_int_equal(lh_memory_read_self(copy, end, 1), -EFAULT);
}

static void test_an_address_that_is_none_fails(void **state)
{
    (void)state;
    static const uintptr_t addresses[] = {0, 8, 0x800000000000, 0xdead000000000000,
                                          UINTPTR_MAX - 3};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        assert_int_equal(lh_memory_read_self(copy, addresses[i], 8), -EFAULT);
        assert_int_equal(lh_memory_copy_self(copy, addresses[i], 3 * PAGE), 0);
    }
}

static void test_a_copy_ends_where_memory_ends(void **state)
{
    (void)state;
    static const size_t before_end[] = {1, 7, PAGE - 1, PAGE, PAGE + 1, 8 * PAGE, 39 * PAGE + 9};
    for (size_t i = 0; i < sizeof(before_end) / sizeof(before_end[0]); i++) {
        size_t place = PAGES * PAGE - before_end[i];
        memset(copy, 0, sizeof(copy));
        size_t got = lh_memory_copy_self(copy, (uintptr_t)area + place, before_end[i] + PAGE);
        assert_int_equal(got, before_end[i]);
        assert_copied(place, got);
        assert_int_equal(copy[got], 0);
    }
}

static void test_a_copy_takes_no_more_than_asked_for(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, PAGE, 16 * PAGE, 16 * PAGE + 1, 33 * PAGE + 5};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(copy, 0, sizeof(copy));
        assert_int_equal(lh_memory_copy_self(copy, (uintptr_t)area + 3, sizes[i]), sizes[i]);
        assert_copied(3, sizes[i]);
        assert_int_equal(copy[sizes[i]], 0);
    }
}

static void test_pieces_are_read_one_behind_the_other(void **state)
{
    (void)state;
    const struct iovec parts[] = {
        {area + 7 * PAGE, 10}, {area + 5, PAGE}, {area + PAGES * PAGE, 8}, {area, 8}};
    uint32_t tid = (uint32_t)lh_syscall0(SYS_gettid);
    assert_int_equal(lh_memory_parts_self(tid, copy, parts, 2), PAGE + 10);
    assert_memory_equal(copy, area + 7 * PAGE, 10);
    assert_memory_equal(copy + 10, area + 5, PAGE);
    assert_int_equal(lh_memory_parts_self(tid, copy, parts, 4), PAGE + 10);
    assert_int_equal(lh_memory_parts_self(tid, copy, parts + 2, 2), 0);
}

static void test_errno_stays(void **state)
{
    (void)state;
    errno = ENOTTY;
    assert_int_equal(lh_memory_read_self(copy, 0, 8), -EFAULT);
    assert_int_equal(lh_memory_copy_self(copy, 0, 8), 0);
    assert_int_equal(lh_syscall1(SYS_close, -1), -EBADF);
    assert_int_equal(errno, ENOTTY);
}

static void test_raw_system_calls_pass_every_argument(void **state)
{
    (void)state;
    long page =
        lh_syscall6(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(page > 0);
    assert_int_equal(lh_syscall3(SYS_mprotect, page, PAGE, PROT_READ), 0);
    assert_int_equal(lh_syscall2(SYS_munmap, page, PAGE), 0);
    assert_int_equal(lh_syscall0(SYS_getpid), getpid());

    static char text[] = "raw";
    int pipe_fds[2] = {-1, -1};
    assert_int_equal(lh_syscall2(SYS_pipe2, (long)pipe_fds, 0), 0);
    struct iovec part = {text, 3};
    assert_int_equal(lh_syscall3(SYS_writev, pipe_fds[1], (long)&part, 1), 3);
    assert_int_equal(lh_syscall4(SYS_pread64, pipe_fds[0], (long)copy, 3, 0), -ESPIPE);
    assert_int_equal(lh_syscall5(SYS_preadv, pipe_fds[0], (long)&part, 1, 0, 0), -ESPIPE);
    assert_int_equal(lh_syscall1(SYS_close, pipe_fds[0]), 0);
    assert_int_equal(lh_syscall1(SYS_close, pipe_fds[1]), 0);
}

static pthread_t main_thread;

static void *read_without_main_thread(void *unused)
{
    (void)unused;
    uint8_t got[8];
    pthread_join(main_thread, NULL);
    int error = lh_memory_read_self(got, (uintptr_t)area, sizeof(got));
    size_t copied = lh_memory_copy_self(copy, (uintptr_t)area, PAGE);
    _exit(error == 0 && memcmp(got, area, sizeof(got)) == 0 && copied == PAGE ? 0 : 1);
}

static void test_memory_is_read_when_the_main_thread_has_ended(void **state)
{
    (void)state;
    skip_under_thread_sanitizer(); /* which knows no main thread that has ended */
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        main_thread = pthread_self();
        if (pthread_create(&thread, NULL, read_without_main_thread, NULL) != 0)
            _exit(2);
        pthread_exit(NULL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The calls fail with `error` from now on. */
static void deny(long first, long second, unsigned error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)first, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)second, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(2);
}

/* The file also has memory that is mapped and not readable: here nothing is. */
static bool is_read_to_its_end(void)
{
    munmap(area + PAGES * PAGE, PAGE);
    uintptr_t last = (uintptr_t)area + PAGES * PAGE - 100;
    uintptr_t start = (uintptr_t)area + PAGE;
    const struct iovec parts[] = {{area + 5, 10}, {(void *)last, 101}, {area, 10}};
    return lh_memory_parts_self((uint32_t)lh_syscall0(SYS_gettid), copy, parts, 3) == 110 &&
           memcmp(copy, area + 5, 10) == 0 && memcmp(copy + 10, (void *)last, 100) == 0 &&
           lh_memory_read_self(copy, start, 3 * PAGE) == 0 &&
           memcmp(copy, area + PAGE, 3 * PAGE) == 0 &&
           lh_memory_read_self(copy, last, 101) == -EFAULT &&
           lh_memory_copy_self(copy, last, 3 * PAGE) == 100 &&
           memcmp(copy, (void *)last, 100) == 0 &&
           lh_memory_copy_self(copy, (uintptr_t)area, 20 * PAGE) == 20 * PAGE;
}

/* Filters are for ever: in a child, which says with its status how it went. */
static void assert_in_child(bool (*holds)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(holds() ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool reads_another_way(void)
{
    deny(SYS_process_vm_readv, SYS_process_vm_writev, EPERM);
    errno = ENOTTY;
    return !lh_memory_is_denied() && is_read_to_its_end() && errno == ENOTTY;
}

static bool reads_another_way_where_the_call_is_missing(void)
{
    deny(SYS_process_vm_readv, SYS_process_vm_writev, ENOSYS);
    return !lh_memory_is_denied() && is_read_to_its_end();
}

static bool says_that_it_is_denied(void)
{
    deny(SYS_process_vm_readv, SYS_pread64, EPERM);
    return lh_memory_is_denied() && lh_memory_read_self(copy, (uintptr_t)area, 8) == -EFAULT &&
           lh_memory_copy_self(copy, (uintptr_t)area, PAGE) == 0;
}

static void test_what_one_way_is_denied_is_read_another_way(void **state)
{
    (void)state;
    assert_false(lh_memory_is_denied());
    assert_in_child(reads_another_way);
    assert_in_child(reads_another_way_where_the_call_is_missing);
    assert_in_child(says_that_it_is_denied);
}

#define APART (256u * PAGE) /* as heaps are, whose pages have the same last bits */
#define HEAPS 16u

/* Nothing but what is known to be readable can be read then. */
static bool keeps_pages_of_like_addresses(void)
{
    uint8_t byte;
    uint32_t known = 0;
    uint8_t *heaps =
        mmap(NULL, HEAPS * APART, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < HEAPS; i++)
        if (heaps == MAP_FAILED || lh_memory_read_near(&byte, (uintptr_t)heaps + i * APART, 1) != 0)
            return false;
    deny(SYS_process_vm_readv, SYS_pread64, EPERM);
    for (size_t i = 0; i < HEAPS; i++)
        known += lh_memory_read_near(&byte, (uintptr_t)heaps + i * APART, 1) == 0;
    return known > HEAPS / 2; /* where they are is chance */
}

static void test_known_pages_do_not_take_each_others_place(void **state)
{
    (void)state;
    assert_in_child(keeps_pages_of_like_addresses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readable_memory_is_read),
        cmocka_unit_test(test_a_read_that_reaches_unreadable_memory_fails),
        cmocka_unit_test(test_an_address_that_is_none_fails),
        cmocka_unit_test(test_a_copy_ends_where_memory_ends),
        cmocka_unit_test(test_a_copy_takes_no_more_than_asked_for),
        cmocka_unit_test(test_pieces_are_read_one_behind_the_other),
        cmocka_unit_test(test_errno_stays),
        cmocka_unit_test(test_raw_system_calls_pass_every_argument),
        cmocka_unit_test(test_memory_is_read_when_the_main_thread_has_ended),
        cmocka_unit_test(test_what_one_way_is_denied_is_read_another_way),
        cmocka_unit_test(test_known_pages_do_not_take_each_others_place),
    };
    return cmocka_run_group_tests(tests, make_area, drop_area);
}

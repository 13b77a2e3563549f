/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the collector: a program made up here, that is a ring in a memfd, records and a
 * socket, and ways to wait for what the collector does with them. */
#ifndef LH_TESTS_FAKE_PROGRAM_H
#define LH_TESTS_FAKE_PROGRAM_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/link/collector.h"
#include "common/call_ids.h"
#include "common/ring.h"
#include "common/text.h"

#define PATIENCE_MS 10000

struct fixture {
    char directory[64];
    char output[96];
    char socket_path[96];
    struct lh_collector *collector;
    struct lh_ring *ring;
    int ring_fd;
    int program_fd; /* the program's end of its connection */
    char content[8 << 20];
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void make_ring(struct fixture *fixture)
{
    struct lh_options options;
    lh_options_init(&options);
    options.output_kind = LH_OUTPUT_PATH;
    options.format = LH_FORMAT_JSON;
    (void)lh_text_copy(options.output, sizeof(options.output), fixture->output);
    fixture->ring_fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fixture->ring_fd, sizeof(struct lh_ring)), 0);
    assert_int_equal(fcntl(fixture->ring_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    fixture->ring =
        mmap(NULL, sizeof(struct lh_ring), PROT_READ | PROT_WRITE, MAP_SHARED, fixture->ring_fd, 0);
    assert_ptr_not_equal(fixture->ring, MAP_FAILED);
    lh_ring_init(fixture->ring, (uint32_t)getpid(), &options);
    (void)lh_text_copy(fixture->ring->exe, sizeof(fixture->ring->exe), "/srv/server");
    (void)lh_text_copy(fixture->ring->cwd, sizeof(fixture->ring->cwd), "/srv");
}

static inline int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    (void)lh_text_copy(fixture->directory, sizeof(fixture->directory), "/tmp/lh-collector-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    (void)snprintf(fixture->output, sizeof(fixture->output), "%s/out", fixture->directory);
    (void)snprintf(fixture->socket_path, sizeof(fixture->socket_path), "%s/sock",
                   fixture->directory);
    fixture->collector = lh_collector_new();
    assert_non_null(fixture->collector);
    fixture->program_fd = -1;
    make_ring(fixture);
    *state = fixture;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    if (fixture->program_fd >= 0)
        close(fixture->program_fd);
    lh_collector_free(fixture->collector);
    munmap(fixture->ring, sizeof(*fixture->ring));
    close(fixture->ring_fd);
    (void)snprintf(command, sizeof(command), "rm -r %s", fixture->directory);
    int result = system(command);
    free(fixture);
    return result;
}

/* ---- the program's side ---- */

static inline int send_message(int fd, const void *bytes, size_t length, const int *fds,
                               size_t fd_count)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(4 * sizeof(int))];
    } control = {0};
    struct iovec body = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
    struct msghdr header = {.msg_iov = &body, .msg_iovlen = 1};
    if (fd_count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(part), fds, fd_count * sizeof(int));
    }
    return sendmsg(fd, &header, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -errno;
}

static inline int say_hello(int fd, int ring_fd)
{
    const struct lh_hello hello = {
        .magic = LH_RING_MAGIC, .bytes = sizeof(struct lh_ring), .pid = (uint32_t)getpid()};
    int maps_fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    const int fds[] = {ring_fd, maps_fd};
    int error = send_message(fd, &hello, sizeof(hello), fds, ring_fd >= 0 ? 2 : 0);
    close(maps_fd);
    return error;
}

static inline int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)lh_text_copy(address.sun_path, sizeof(address.sun_path), path);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static inline void wake_reader(struct lh_ring *ring)
{
    syscall(SYS_futex, &ring->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static inline struct lh_record *fill_record(struct lh_ring *ring, uint64_t id)
{
    struct lh_record *record = lh_ring_reserve(ring, 0);
    if (record == NULL)
        return NULL;
    record->type = LH_EVENT_BLOCK;
    record->tid = (uint32_t)getpid();
    record->time_ns = 1000000000;
    record->id = id;
    record->elapsed_ns = 250000000;
    record->call = LH_CALL_nanosleep;
    record->group = LH_GROUP_SLEEP;
    record->reason = LH_REASON_THRESHOLD;
    record->found = LH_FOUND_BY_CALL;
    record->error = 0;
    record->skipped = 0;
    record->awaits_victims = 0;
    (void)lh_text_copy(record->thread, sizeof(record->thread), "main");
    record->resource = (struct lh_resource){.kind = LH_RESOURCE_DURATION, .fd = -1};
    record->stack_address = 0;
    record->stack_length = 0;
    record->python_count = 0;
    record->strings_length = 0;
    return record;
}

static inline bool put_block(struct lh_ring *ring, uint64_t id)
{
    struct lh_record *record = fill_record(ring, id);
    if (record == NULL)
        return false;
    atomic_fetch_add(&ring->totals.blocks, 1);
    lh_ring_commit(ring, record);
    wake_reader(ring);
    return true;
}

/* ---- waiting for what the collector does ---- */

/* Waits on the futex until the word is at least `value`. */
static inline void wait_for_word(_Atomic uint32_t *word, uint32_t value)
{
    int64_t deadline = now_ms() + PATIENCE_MS;
    const struct timespec turn = {.tv_sec = 1};
    uint32_t now;
    while ((now = atomic_load(word)) < value) {
        assert_true(now_ms() < deadline);
        syscall(SYS_futex, word, FUTEX_WAIT, now, &turn, NULL, 0);
    }
}

static inline bool is_idle(struct fixture *fixture)
{
    return lh_collector_idle(fixture->collector);
}

static inline bool is_attached(struct fixture *fixture)
{
    return atomic_load(&fixture->ring->attached) == 1;
}

static inline bool one_process_is_counted(struct fixture *fixture)
{
    struct lh_run_totals totals;
    lh_collector_count(fixture->collector, &totals);
    return totals.processes == 1;
}

/* Serves the collector's events until the condition holds. */
static inline void serve_until(struct fixture *fixture, bool (*condition)(struct fixture *))
{
    int64_t deadline = now_ms() + PATIENCE_MS;
    struct pollfd item = {.fd = lh_collector_fd(fixture->collector), .events = POLLIN};
    while (!condition(fixture)) {
        assert_true(now_ms() < deadline);
        poll(&item, 1, 1000);
        assert_int_equal(lh_collector_step(fixture->collector), 0);
    }
}

/* Serves what has happened until now. */
static inline void serve_now(struct fixture *fixture)
{
    struct pollfd item = {.fd = lh_collector_fd(fixture->collector), .events = POLLIN};
    while (poll(&item, 1, 0) > 0)
        assert_int_equal(lh_collector_step(fixture->collector), 0);
}

static inline const char *output_of(struct fixture *fixture)
{
    int fd = open(fixture->output, O_RDONLY | O_CLOEXEC);
    fixture->content[0] = '\0';
    if (fd < 0)
        return fixture->content;
    size_t length = 0;
    ssize_t got;
    while ((got = read(fd, fixture->content + length, sizeof(fixture->content) - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    fixture->content[length] = '\0';
    return fixture->content;
}

static inline unsigned lines_with(struct fixture *fixture, const char *part)
{
    unsigned lines = 0;
    const char *at = output_of(fixture);
    for (; *at != '\0'; at = strchr(at, '\n') + 1) {
        const char *end = strchr(at, '\n');
        assert_non_null(end);
        lines += memmem(at, (size_t)(end - at), part, strlen(part)) != NULL;
    }
    return lines;
}

/* This process becomes an adopted program. */
static inline void adopt_us(struct fixture *fixture)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    fixture->program_fd = ends[0];
    assert_int_equal(say_hello(ends[0], fixture->ring_fd), 0);
    assert_int_equal(lh_collector_adopt(fixture->collector, ends[1]), 0);
    assert_false(lh_collector_idle(fixture->collector));
}

static inline void attach_us(struct fixture *fixture)
{
    adopt_us(fixture);
    serve_until(fixture, is_attached);
}

static inline void listen_here(struct fixture *fixture)
{
    struct lh_options options;
    lh_options_init(&options);
    assert_int_equal(lh_collector_listen(fixture->collector, fixture->socket_path, &options, NULL),
                     0);
}

#endif

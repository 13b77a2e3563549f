/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that wait for a ring of io_uring by syscall(2).
 *
 *   uring loop      an event loop: accepts, and has a timer whose handler sleeps; its last wait
 *                   takes 200 ms; it sleeps again when it has closed its ring
 *   uring clients   no loop: each answer is waited for, whether it is there at once or not
 *   uring beside    a loop on an epoll set that waits 200 ms for a ring
 *   uring libuv     a loop on an epoll set that asks a ring from a function of libuv's, thrice, and
 *                   from one of its own, once
 *
 * Ends with 77 where io_uring is not allowed. io_uring(7). */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES 8

static int ring;
static struct io_uring_params params;
static char *sq, *cq;
static struct io_uring_sqe *entries;
static uint32_t prepared; /* not submitted yet */
static char byte;
static volatile int not_the_last_call;

#define CHECK(expression)                                                                          \
    do {                                                                                           \
        if (!(expression)) {                                                                       \
            perror(#expression);                                                                   \
            exit(3);                                                                               \
        }                                                                                          \
    } while (0)

static void make_ring(void)
{
    ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &params);
    if (ring < 0) {
        perror("io_uring_setup");
        exit(77);
    }
    sq = mmap(NULL, params.sq_off.array + ENTRIES * sizeof(uint32_t), PROT_READ | PROT_WRITE,
              MAP_SHARED, ring, IORING_OFF_SQ_RING);
    cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
              PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    entries = mmap(NULL, ENTRIES * sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
                   IORING_OFF_SQES);
    CHECK(sq != MAP_FAILED && cq != MAP_FAILED && entries != MAP_FAILED);
}

static void prepare(uint8_t operation, int fd, void *buffer, uint32_t length, uint32_t poll_events)
{
    _Atomic uint32_t *tail = (_Atomic uint32_t *)(sq + params.sq_off.tail);
    uint32_t *array = (uint32_t *)(sq + params.sq_off.array);
    uint32_t at = atomic_load(tail) % ENTRIES;
    entries[at] = (struct io_uring_sqe){
        .opcode = operation,
        .fd = fd,
        .addr = (uintptr_t)buffer,
        .len = length,
        .poll32_events = poll_events,
    };
    array[at] = at;
    atomic_fetch_add(tail, 1);
    prepared++;
}

static void submit(void)
{
    CHECK(syscall(SYS_io_uring_enter, ring, prepared, 0, 0, NULL, 0) == prepared);
    prepared = 0;
}

/* Submits what is prepared and waits for one completion. */
static void submit_and_wait(void)
{
    _Atomic uint32_t *head = (_Atomic uint32_t *)(cq + params.cq_off.head);
    CHECK(syscall(SYS_io_uring_enter, ring, prepared, 1, IORING_ENTER_GETEVENTS, NULL, 0) ==
          prepared);
    prepared = 0;
    atomic_fetch_add(head, 1);
}

static int make_listener(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(fd, 1) == 0);
    return fd;
}

static void set_timer(int timer, long ms)
{
    const struct itimerspec time = {.it_value = {0, ms * 1000000L}};
    CHECK(timerfd_settime(timer, 0, &time, NULL) == 0);
}

static void sleep_in_handler(void)
{
    const struct timespec time = {0, 200 * 1000000L};
    nanosleep(&time, NULL);
    not_the_last_call = 1;
}

static int loop(void)
{
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    make_ring();
    prepare(IORING_OP_ACCEPT, make_listener(), NULL, 0, 0);
    for (int turn = 0; turn < 6; turn++) {
        set_timer(timer, turn == 5 ? 200 : 1);
        prepare(IORING_OP_POLL_ADD, timer, NULL, 0, POLLIN);
        submit_and_wait();
        if (turn == 3)
            sleep_in_handler();
    }
    CHECK(close(ring) == 0);
    sleep_in_handler(); /* no loop any more */
    return 0;
}

/* Answers of several sockets, one after the other; a timer's, which is late; a file's, at once. */
static int clients(void)
{
    int pairs[3][2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    uint64_t expirations;
    make_ring();
    for (int i = 0; i < 3; i++)
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[i]) == 0);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 3; i++)
            prepare(IORING_OP_RECV, pairs[i][0], &byte, 1, 0);
        submit();
        for (int i = 0; i < 3; i++) {
            CHECK(send(pairs[i][1], "x", 1, 0) == 1);
            submit_and_wait();
        }
        set_timer(timer, 1);
        prepare(IORING_OP_READ, timer, &expirations, sizeof(expirations), 0);
        submit();
        submit_and_wait();
        prepare(IORING_OP_READ, file, &byte, 1, 0);
        submit_and_wait();
    }
    sleep_in_handler();
    return 0;
}

static int beside(void)
{
    struct epoll_event event;
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int set = epoll_create1(EPOLL_CLOEXEC);
    make_ring();
    prepare(IORING_OP_ACCEPT, make_listener(), NULL, 0, 0);
    epoll_wait(set, &event, 1, 0);
    for (int turn = 0; turn < 4; turn++) {
        set_timer(timer, turn == 3 ? 200 : 1);
        prepare(IORING_OP_POLL_ADD, timer, NULL, 0, POLLIN);
        submit_and_wait();
    }
    epoll_wait(set, &event, 1, 40);
    return 0;
}

/* As libuv has its epoll set changed: the answer is there at once. */
__attribute__((noinline)) static void uv__epoll_ctl_flush(void)
{
    prepare(IORING_OP_NOP, -1, NULL, 0, 0);
    submit_and_wait();
    not_the_last_call = 1;
}

static int libuv(void)
{
    struct epoll_event event;
    int set = epoll_create1(EPOLL_CLOEXEC);
    make_ring();
    for (int turn = 0; turn < 3; turn++) {
        epoll_wait(set, &event, 1, 0);
        uv__epoll_ctl_flush();
    }
    prepare(IORING_OP_NOP, -1, NULL, 0, 0);
    submit_and_wait();
    epoll_wait(set, &event, 1, 0);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    if (strcmp(what, "loop") == 0)
        return loop();
    if (strcmp(what, "clients") == 0)
        return clients();
    if (strcmp(what, "libuv") == 0)
        return libuv();
    return strcmp(what, "beside") == 0 ? beside() : 2;
}

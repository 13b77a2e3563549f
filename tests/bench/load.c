/* SPDX-License-Identifier: Apache-2.0 */
/* A client that loads a server on this machine, and counts in memory that whoever started it reads
 * while it runs.
 *
 *     load COUNTS PORT CONNECTIONS DEPTH RATE ANSWER_BYTES <request
 *
 * Each request is the same, DEPTH of them are sent at once, and each answer has so many bytes. RATE
 * 0: each connection sends as soon as it has its answers. Otherwise so many requests a second are
 * due at equal distances, on whatever connection is free; one that is late counts from when it was
 * due, so that a server that pauses is not spared the requests it has kept away (as wrk2 does it).
 *
 * COUNTS is a file for struct counts. Ends when the server closes a connection, or when it is
 * killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX     65536u
#define CONNECTIONS_MAX 1024
#define EVENTS          64
/* Of latencies in us: 32 steps for each power of two, so within 3 %. */
#define STEPS           32u
#define BUCKETS         (STEPS * 32u)

struct counts {
    _Atomic uint64_t answers;
    _Atomic uint64_t buckets[BUCKETS];
};

struct connection {
    int fd;
    bool busy;
    size_t missing;  /* bytes of the answers that are still to come */
    uint64_t due_ns; /* when its request was to be sent */
};

static struct counts *counts;
static struct connection connections[CONNECTIONS_MAX];
static int connection_count, depth, epoll_set;
static double rate;
static size_t answer_bytes, request_bytes;
static char *requests; /* `depth` of them */
static uint64_t start_ns, sent;

static void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Below STEPS us one each; above, the highest bits decide. load.py has the way back. */
static unsigned bucket_of(uint64_t us)
{
    if (us < STEPS)
        return (unsigned)us;
    unsigned shift = 63u - (unsigned)__builtin_clzll(us) - 5u; /* STEPS is 2^5 */
    unsigned bucket = (shift + 1) * STEPS + (unsigned)((us >> shift) - STEPS);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static void add(_Atomic uint64_t *count, uint64_t more)
{
    uint64_t now = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, now + more, memory_order_relaxed);
}

static void send_requests(struct connection *connection, uint64_t due_ns)
{
    if (send(connection->fd, requests, request_bytes, MSG_NOSIGNAL) != (ssize_t)request_bytes)
        fail("a request was not sent");
    connection->busy = true;
    connection->missing = answer_bytes * (size_t)depth;
    connection->due_ns = due_ns;
}

static void take_answers(struct connection *connection)
{
    static char bytes[1 << 18];
    ssize_t length = recv(connection->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0)
        fail("the server closed a connection");
    if ((size_t)length > connection->missing) {
        errno = EPROTO;
        fail("an answer is longer than the first one was");
    }
    connection->missing -= (size_t)length;
    if (connection->missing != 0)
        return;
    uint64_t end_ns = now_ns();
    add(&counts->buckets[bucket_of((end_ns - connection->due_ns) / 1000)], (uint64_t)depth);
    add(&counts->answers, (uint64_t)depth);
    connection->busy = false;
    if (rate == 0)
        send_requests(connection, end_ns);
}

/* The time at which the next one is due. */
static uint64_t next_ns(void)
{
    return start_ns + (uint64_t)((double)sent * 1e9 / rate);
}

/* All that are due by now, as far as there are free connections. */
static void send_due(void)
{
    static int next; /* in turns, so that each is used */
    for (int i = 0; i < connection_count && next_ns() <= now_ns(); i++) {
        struct connection *connection = &connections[next];
        next = (next + 1) % connection_count;
        if (!connection->busy) {
            send_requests(connection, next_ns());
            sent += (uint64_t)depth;
        }
    }
}

static void wait_for_answers(void)
{
    struct epoll_event events[EVENTS];
    struct timespec left = {0, 0};
    uint64_t now = now_ns();
    if (rate != 0 && next_ns() > now) {
        uint64_t ns = next_ns() - now;
        left = (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    }
    /* Where all are busy what is due has to wait for an answer; 1 ms is soon enough to look. */
    if (rate != 0 && left.tv_sec == 0 && left.tv_nsec == 0)
        left.tv_nsec = 1000000;
    int count = epoll_pwait2(epoll_set, events, EVENTS, rate == 0 ? NULL : &left, NULL);
    for (int i = 0; i < count; i++)
        take_answers(events[i].data.ptr);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        fail("no connection");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void read_requests(void)
{
    static char one[REQUEST_MAX];
    size_t length = fread(one, 1, sizeof(one), stdin);
    request_bytes = length * (size_t)depth;
    requests = malloc(request_bytes);
    if (length == 0 || requests == NULL)
        fail("no request on standard input");
    for (int i = 0; i < depth; i++)
        memcpy(requests + (size_t)i * length, one, length);
}

static void open_counts(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(*counts)) != 0)
        fail(path);
    counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (counts == MAP_FAILED)
        fail(path);
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: load COUNTS PORT CONNECTIONS DEPTH RATE ANSWER_BYTES <request\n");
        return 2;
    }
    connection_count = atoi(argv[3]);
    depth = atoi(argv[4]);
    rate = atof(argv[5]);
    answer_bytes = (size_t)atoll(argv[6]);
    if (connection_count < 1 || connection_count > CONNECTIONS_MAX || depth < 1 || answer_bytes < 1)
        return 2;
    open_counts(argv[1]);
    read_requests();
    prctl(PR_SET_TIMERSLACK, 1);
    epoll_set = epoll_create1(EPOLL_CLOEXEC);
    start_ns = now_ns();
    for (int i = 0; i < connection_count; i++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &connections[i]};
        connections[i].fd = connect_to((uint16_t)atoi(argv[2]));
        epoll_ctl(epoll_set, EPOLL_CTL_ADD, connections[i].fd, &wanted);
        if (rate == 0)
            send_requests(&connections[i], now_ns());
    }
    start_ns = now_ns();
    for (;;) {
        if (rate != 0)
            send_due();
        wait_for_answers();
    }
}

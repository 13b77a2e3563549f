/* SPDX-License-Identifier: Apache-2.0 */
/* What anybody may do at the collector's socket: connections that come and go, partly shut, with
 * messages of any length and any descriptors: rings that could shrink, are short or of another
 * layout, pipes and devices where a map is expected. Whatever comes, the collector does not wait,
 * leaves no descriptor open and serves the next program. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "collect/link/collector.h"
#include "collect/link/peer.h"
#include "common/ring.h"
#include "fuzz.h"

#define STEPS_MAX       24
#define CONNECTIONS_MAX 4
#define FDS_MAX         5
#define BODY_MAX        64
#define FINISH_MS       5000

static char directory[] = "/tmp/lh-fuzz-link-XXXXXX";
static struct lh_collector *collector;
static int connections[CONNECTIONS_MAX];
static char socket_path[64];

/* ---- descriptors that a program may send ---- */

enum kind {
    SOUND_RING,
    UNSEALED_RING,
    SHORT_RING,
    OTHER_LAYOUT,
    READ_ONLY_RING,
    MAPS,
    STATUS, /* of /proc, but no map */
    PLAIN_FILE,
    EMPTY_PIPE,
    DEVICE,
    SOCKET,
    KINDS
};

static int kinds[KINDS];
static struct lh_ring *rings[KINDS]; /* of those that are as long as one */

static void make_ring(enum kind kind, off_t size, unsigned seals, uint64_t magic)
{
    struct lh_options options;
    int fd = memfd_create("ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    MUST(fd >= 0 && ftruncate(fd, size) == 0);
    kinds[kind] = fd;
    if (size == (off_t)sizeof(struct lh_ring)) {
        struct lh_ring *ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        MUST(ring != MAP_FAILED);
        lh_options_init(&options);
        options.output_kind = LH_OUTPUT_PATH;
        memcpy(options.output, "/dev/null", sizeof("/dev/null"));
        lh_ring_init(ring, (uint32_t)getpid(), &options);
        ring->magic = magic;
        rings[kind] = ring;
    }
    MUST(fcntl(fd, F_ADD_SEALS, seals) == 0);
}

static int open_again(int fd)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return open(name, O_RDONLY | O_CLOEXEC);
}

static void make_kinds(void)
{
    int ends[2];
    const off_t whole = sizeof(struct lh_ring);
    make_ring(SOUND_RING, whole, F_SEAL_SHRINK | F_SEAL_GROW, LH_RING_MAGIC);
    make_ring(UNSEALED_RING, whole, 0, LH_RING_MAGIC);
    make_ring(SHORT_RING, 4096, F_SEAL_SHRINK, LH_RING_MAGIC);
    make_ring(OTHER_LAYOUT, whole, F_SEAL_SHRINK, LH_RING_MAGIC + 1);
    kinds[READ_ONLY_RING] = open_again(kinds[SOUND_RING]);
    kinds[MAPS] = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    kinds[STATUS] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    kinds[PLAIN_FILE] = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    MUST(pipe2(ends, O_CLOEXEC) == 0);
    kinds[EMPTY_PIPE] = ends[0]; /* the other end stays: reading it would wait for ever */
    kinds[DEVICE] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    kinds[SOCKET] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int kind = 0; kind < KINDS; kind++)
        MUST(kinds[kind] >= 0);
}

/* ---- what a program may do ---- */

static void connect_one(int *connection)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (*connection >= 0)
        close(*connection);
    memcpy(address.sun_path, socket_path, sizeof(socket_path));
    *connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    MUST(*connection >= 0);
    MUST(connect(*connection, (struct sockaddr *)&address, sizeof(address)) == 0);
}

/* A hello, whose length and words the input may change. */
static size_t take_body(struct input *input, uint8_t body[BODY_MAX])
{
    struct lh_hello hello = {
        .magic = LH_RING_MAGIC, .bytes = sizeof(struct lh_ring), .pid = (uint32_t)getpid()};
    uint8_t how = take_u8(input);
    memset(body, 0, BODY_MAX);
    memcpy(body, &hello, sizeof(hello));
    if ((how & 1) != 0)
        body[take_u8(input) % sizeof(hello)] ^= take_u8(input);
    if ((how & 2) != 0)
        take(input, body, sizeof(hello));
    return (how & 4) != 0 ? take_u8(input) % (BODY_MAX + 1u) : sizeof(hello);
}

static void send_one(int connection, struct input *input)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = {0};
    uint8_t bytes[BODY_MAX];
    int fds[FDS_MAX];
    struct iovec body = {.iov_base = bytes, .iov_len = take_body(input, bytes)};
    struct msghdr header = {.msg_iov = &body, .msg_iovlen = 1};
    size_t count = take_u8(input) % (FDS_MAX + 1u);
    for (size_t i = 0; i < count; i++)
        fds[i] = kinds[take_u8(input) % KINDS];
    if (count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(part), fds, count * sizeof(int));
    }
    (void)!sendmsg(connection, &header, MSG_NOSIGNAL); /* it may be shut, or gone */
}

static void do_one(struct input *input)
{
    static const int ways[] = {SHUT_RD, SHUT_WR, SHUT_RDWR};
    uint8_t what = take_u8(input);
    int *connection = &connections[(what >> 4) % CONNECTIONS_MAX];
    if (*connection < 0 || what % 8 == 0)
        connect_one(connection);
    else if (what % 8 < 5)
        send_one(*connection, input);
    else if (what % 8 == 5)
        (void)shutdown(*connection, ways[take_u8(input) % 3]);
    else if (what % 8 == 6) {
        close(*connection);
        *connection = -1;
    }
    if (what % 8 == 7 || take_u8(input) % 2 == 0)
        MUST(lh_collector_step(collector) == 0);
}

/* ---- the collector ---- */

static unsigned open_fds(void)
{
    unsigned count = 0;
    DIR *fds = opendir("/proc/self/fd");
    MUST(fds != NULL);
    while (readdir(fds) != NULL)
        count++;
    closedir(fds);
    return count;
}

static void clean_up(void)
{
    (void)rmdir(directory);
}

static void set_up(void)
{
    make_kinds();
    MUST(mkdtemp(directory) != NULL);
    (void)snprintf(socket_path, sizeof(socket_path), "%s/socket", directory);
    for (int i = 0; i < CONNECTIONS_MAX; i++)
        connections[i] = -1;
    MUST(atexit(clean_up) == 0);
}

/* The next program is served as if nobody had been there before: it is counted. */
static void check_it_serves(void)
{
    struct lh_run_totals before;
    struct lh_run_totals after;
    struct lh_hello hello = {.magic = LH_RING_MAGIC, .bytes = sizeof(struct lh_ring)};
    lh_collector_count(collector, &before);
    connect_one(&connections[0]);
    MUST(send(connections[0], &hello, sizeof(hello), MSG_NOSIGNAL) == (ssize_t)sizeof(hello));
    for (int i = 0; i < 4; i++)
        MUST(lh_collector_step(collector) == 0);
    lh_collector_count(collector, &after);
    MUST(after.processes == 1 && before.processes <= 1);
}

/* Nobody has begun to read what could harm the collector, or is of another version. */
static void check_refused(void)
{
    static const enum kind refused[] = {UNSEALED_RING, OTHER_LAYOUT};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        MUST(atomic_load(&rings[refused[i]]->reader) == 0 &&
             atomic_load(&rings[refused[i]]->attached) == 0);
    MUST(atomic_load(&rings[SOUND_RING]->attached) == 0); /* any more */
}

static void run_one(struct input input)
{
    struct lh_options options;
    lh_options_init(&options);
    collector = lh_collector_new();
    MUST(collector != NULL && lh_collector_listen(collector, socket_path, &options, NULL) == 0);
    collector->said_refused = true; /* it would say so for each input */
    for (int steps = 0; steps < STEPS_MAX && input.left > 0; steps++)
        do_one(&input);
    check_it_serves();
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        if (connections[i] >= 0)
            close(connections[i]);
        connections[i] = -1;
    }
    lh_collector_finish(collector, FINISH_MS);
    lh_collector_free(collector);
}

/* One sound program first: the libraries keep a few descriptors from then on. */
static void set_up_once(void)
{
    static const uint8_t sound[] = {0, 0, 1, 0, 2, SOUND_RING, MAPS, 0};
    static bool done;
    if (done)
        return;
    done = true;
    set_up();
    run_one((struct input){sound, sizeof(sound)});
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    set_up_once();
    unsigned before = open_fds();
    run_one((struct input){bytes, size});
    MUST(open_fds() == before);
    check_refused();
    return 0;
}

/* This process image: options, what it is, and its start as a watched process. Runs on the
 * program's threads; libc only in our set-up, raw system calls after it. */
#include "preload/process.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/protocol.h"
#include "common/text.h"
#include "preload/clock.h"
#include "preload/real.h"
#include "preload/sandbox.h"
#include "preload/sys.h"
#include "preload/watchdog.h"

#define START_WAIT_NS  (1 * LH_NS_PER_S)
#define END_WAIT_NS    (200 * LH_NS_PER_MS)
#define READER_LOOK_NS 20000000L /* between two looks whether there still is a reader */

/* Constant after our set-up. */
static struct {
    bool off;     /* LOOPHOUND_FOLLOW, or nothing to watch with */
    uint32_t pid; /* of the image we were set up in */
    char exe[1024];
    char cwd[1024];
    char collector[1024]; /* "": none */
    char run_socket[108]; /* "": not under `loophound run` */
} image;

static void say(const char *text, size_t length)
{
    lh_syscall3(SYS_write, STDERR_FILENO, (long)text, (long)length);
}

static void read_options(void)
{
    lh_options_init(&lh_options);
    for (enum lh_option option = 0; option < LH_OPTION_COUNT; option++) {
        const struct lh_option_info *info = lh_option_info(option);
        const char *value = getenv(info->env);
        const char *expected;
        if (value == NULL || lh_option_set(&lh_options, option, value, &expected) == 0)
            continue;
        char now[64];
        char line[LH_OPTION_PROBLEM_BYTES];
        struct lh_text text;
        lh_text_init(&text, now, sizeof(now));
        lh_text_string(&text, "using ");
        lh_text_string(&text, info->fallback);
        say(line, lh_option_problem(line, sizeof(line), info->env, value, expected, now));
    }
}

/* dir + below, if there is such an executable. */
static bool try_collector(const char *dir, const char *below)
{
    struct lh_text text;
    lh_text_init(&text, image.collector, sizeof(image.collector));
    lh_text_string(&text, dir);
    lh_text_string(&text, below);
    if (access(image.collector, X_OK) == 0)
        return true;
    image.collector[0] = '\0';
    return false;
}

/* Beside the library, or where an installation puts it. */
static void find_collector(void)
{
    Dl_info info;
    char dir[1024];
    if (lh_options.collector_mode == LH_COLLECTOR_NONE)
        return;
    if (lh_options.collector_mode == LH_COLLECTOR_PATH) {
        lh_text_copy(image.collector, sizeof(image.collector), lh_options.collector);
        return;
    }
    if (dladdr(&image, &info) == 0 || !lh_text_copy(dir, sizeof(dir), info.dli_fname))
        return;
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        *slash = '\0';
    if (!try_collector(dir, "/loophound") && !try_collector(dir, "/../bin/loophound"))
        try_collector(LH_BINDIR, "/loophound");
}

static void read_image(void)
{
    ssize_t length = readlink("/proc/self/exe", image.exe, sizeof(image.exe) - 1);
    image.exe[length > 0 ? length : 0] = '\0';
    if (getcwd(image.cwd, sizeof(image.cwd)) == NULL)
        image.cwd[0] = '\0';
    image.pid = (uint32_t)getpid();
    const char *socket = getenv(LH_ENV_SOCKET);
    if (socket != NULL)
        lh_text_copy(image.run_socket, sizeof(image.run_socket), socket);
}

/* Is this the first process that carries the library? Only asked when descendants are to be told
 * from it, so that the mark in the environment is not set otherwise. */
static bool is_root(void)
{
    char digits[16];
    struct lh_text text;
    lh_text_init(&text, digits, sizeof(digits));
    lh_text_u64(&text, image.pid);
    const char *mark = getenv(LH_ENV_ROOT);
    if (mark == NULL)
        return setenv(LH_ENV_ROOT, digits, 0) == 0;
    return strcmp(mark, digits) == 0;
}

static bool is_followed(void)
{
    const char *slash = strrchr(image.exe, '/');
    if (lh_options.follow_mode == LH_FOLLOW_ON || is_root())
        return true;
    return lh_options.follow_mode == LH_FOLLOW_GLOB &&
           (lh_glob_list_match(lh_options.follow_glob, image.exe) ||
            (slash != NULL && lh_glob_list_match(lh_options.follow_glob, slash + 1)));
}

/* ThreadSanitizer and Valgrind know only threads that pthread_create made. */
static bool is_instrumented(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return dlsym(RTLD_DEFAULT, "__tsan_init") != NULL ||
           (preload != NULL && strstr(preload, "/vgpreload_") != NULL);
}

static void switch_off_if_instrumented(void)
{
    static _Atomic uint32_t said;
    if (!is_instrumented())
        return;
    image.off = true;
    lh_say_once(&said,
                "loophound: this process runs under ThreadSanitizer or Valgrind, which do not "
                "bear its watchdog thread; not watched\n");
}

void lh_process_init(void)
{
    read_options();
    read_image();
    find_collector();
    image.off = !lh_libc_is_known() || !is_followed() || strcmp(image.exe, image.collector) == 0;
    if (!image.off)
        switch_off_if_instrumented();
    void *state = mmap(NULL, sizeof(struct lh_process), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (state == MAP_FAILED || madvise(state, sizeof(struct lh_process), MADV_WIPEONFORK) != 0) {
        image.off = true;
        return;
    }
    lh_process = state;
}

bool lh_process_may_watch(void)
{
    if (image.off || atomic_load(&lh_process->state) == LH_PROCESS_OFF)
        return false;
    if (lh_options.follow_mode == LH_FOLLOW_OFF && image.pid != (uint32_t)lh_syscall0(SYS_getpid))
        return false;
    return lh_sandbox_lets_us_be();
}

void lh_process_leave(void)
{
    lh_watchdog_stop();
    atomic_store(&lh_process->state, LH_PROCESS_OFF);
    atomic_store(&lh_process->pid, 0);
    for (uint32_t i = 0; i < LH_SLOTS; i++)
        atomic_store(&lh_process->slots[i].tid, 0);
}

/* Two threads may come to their first park at the same time. */
static void wait_while_starting(void)
{
    const struct timespec timeout = {START_WAIT_NS / LH_NS_PER_S, 0};
    if (atomic_load(&lh_process->state) == LH_PROCESS_STARTING)
        lh_syscall4(SYS_futex, (long)&lh_process->state, FUTEX_WAIT_PRIVATE, LH_PROCESS_STARTING,
                    (long)&timeout);
}

bool lh_process_start(void)
{
    uint32_t expected = LH_PROCESS_NEW;
    if (atomic_compare_exchange_strong(&lh_process->state, &expected, LH_PROCESS_STARTING)) {
        atomic_store(&lh_process->pid, (uint32_t)lh_syscall0(SYS_getpid));
        lh_watchdog_call();
        expected = LH_PROCESS_STARTING;
        atomic_compare_exchange_strong(&lh_process->state, &expected, LH_PROCESS_WATCHED);
        lh_syscall3(SYS_futex, (long)&lh_process->state, FUTEX_WAKE_PRIVATE, INT_MAX);
    }
    wait_while_starting();
    return atomic_load(&lh_process->state) == LH_PROCESS_WATCHED;
}

bool lh_process_shows_loops(void)
{
    return image.run_socket[0] != '\0' || lh_options_format(&lh_options) == LH_FORMAT_JSON;
}

const char *lh_process_collector(void)
{
    return image.collector[0] != '\0' ? image.collector : NULL;
}

const char *lh_process_run_socket(void)
{
    return image.run_socket[0] != '\0' ? image.run_socket : NULL;
}

const char *lh_process_exe(void)
{
    return image.exe;
}

const char *lh_process_cwd(void)
{
    return image.cwd;
}

void lh_process_greet(void)
{
    struct lh_hello hello = {LH_RING_MAGIC, sizeof(struct lh_ring), image.pid};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (image.off || !lh_text_copy(address.sun_path, sizeof(address.sun_path), image.run_socket))
        return;
    long fd = lh_syscall3(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (lh_syscall3(SYS_connect, fd, (long)&address, sizeof(address)) == 0)
        lh_syscall6(SYS_sendto, fd, (long)&hello, sizeof(hello), MSG_NOSIGNAL, 0, 0);
    lh_syscall1(SYS_close, fd);
}

/* Waits until *word is at least `value`, counted modulo 2^32. */
static int wait_for(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    int64_t end = lh_clock_ns(CLOCK_MONOTONIC) + timeout_ns;
    for (;;) {
        uint32_t now = atomic_load(word);
        int64_t left_ns = end - lh_clock_ns(CLOCK_MONOTONIC);
        if ((int32_t)(now - value) >= 0)
            return 0;
        if (left_ns <= 0)
            return -ETIMEDOUT;
        struct timespec timeout = {left_ns / LH_NS_PER_S, left_ns % LH_NS_PER_S};
        lh_syscall4(SYS_futex, (long)word, FUTEX_WAIT, now, (long)&timeout);
    }
}

/* The same for a word that the reader writes. A reader may be still to come, be the watchdog
 * itself, or be gone without anybody knowing: the watchdog is called to see to that. */
static int wait_for_reader(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    int error = -ETIMEDOUT;
    for (; error != 0 && timeout_ns > 0; timeout_ns -= READER_LOOK_NS) {
        lh_watchdog_call();
        error = wait_for(word, value, timeout_ns < READER_LOOK_NS ? timeout_ns : READER_LOOK_NS);
    }
    return error;
}

static bool has_reader_or_events(const struct lh_ring *ring)
{
    return atomic_load(&ring->attached) != 0 || atomic_load(&lh_process->attach_wanted) != 0;
}

/* Tells the reader, there may yet be none, that the ring gets nothing more. NULL: nothing is in it.
 */
static struct lh_ring *close_ring(void)
{
    struct lh_ring *ring = lh_process != NULL ? atomic_load(&lh_process->ring) : NULL;
    if (ring == NULL || !lh_process_is_ours() || !has_reader_or_events(ring))
        return NULL;
    atomic_store(&ring->closing, 1);
    atomic_fetch_add(&ring->wake, 1);
    lh_syscall3(SYS_futex, (long)&ring->wake, FUTEX_WAKE, INT_MAX);
    return ring;
}

void lh_process_end(void)
{
    struct lh_ring *ring = close_ring();
    if (ring == NULL)
        return;
    (void)wait_for_reader(&ring->drained, 1, END_WAIT_NS);
    lh_watchdog_stop(); /* which passes on what the collector had to say of that */
}

void lh_process_end_at_once(void)
{
    if (close_ring() == NULL)
        return;
    lh_watchdog_call(); /* a fork may have ended it */
    lh_watchdog_stop(); /* which finds a reader if there is none, and does not wait for it */
}

int lh_process_flush(int64_t timeout_ns)
{
    struct lh_ring *ring = lh_process != NULL ? atomic_load(&lh_process->ring) : NULL;
    if (ring == NULL || !lh_process_is_ours())
        return -ENOTCONN;
    uint32_t head = (uint32_t)atomic_load(&ring->head);
    if (atomic_load(&ring->attached) == 0)
        lh_watchdog_want_collector();
    return wait_for_reader(&ring->written, head, timeout_ns);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a wait for descriptors is for. See waiting.h: raw system calls, memory read safely, no
 * malloc, no locks. */
#include "preload/state/waiting.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"

#define BATCH     32   /* pollfds copied at a time */
#define ARRAY_MAX 4096 /* of more, the rest is not looked at */

typedef unsigned long set_word;
#define WORD_BITS (8 * sizeof(set_word))
#define SET_WORDS (FD_SETSIZE / WORD_BITS)

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void each_of_array(const struct lh_poll_wait *wait,
                          void (*note)(void *to, int fd, bool reads), void *to)
{
    struct pollfd fds[BATCH];
    uint32_t count = least(wait->count, ARRAY_MAX);
    for (uint32_t start = 0; start < count; start += BATCH) {
        uint32_t here = least(count - start, BATCH);
        if (lh_memory_read_self(fds, (uintptr_t)(wait->fds + start), here * sizeof(fds[0])) != 0)
            return;
        for (uint32_t i = 0; i < here; i++)
            if (fds[i].fd >= 0)
                note(to, fds[i].fd, (fds[i].events & POLLIN) != 0);
    }
}

static void each_of_set(const fd_set *set, uint32_t count, bool reads,
                        void (*note)(void *to, int fd, bool reads), void *to)
{
    set_word words[SET_WORDS] = {0};
    uint32_t used = least((count + WORD_BITS - 1) / WORD_BITS, SET_WORDS);
    if (set == NULL || lh_memory_read_self(words, (uintptr_t)set, used * sizeof(set_word)) != 0)
        return;
    for (uint32_t fd = 0; fd < used * WORD_BITS && fd < count; fd++)
        if ((words[fd / WORD_BITS] >> fd % WORD_BITS & 1) != 0)
            note(to, (int)fd, reads);
}

void lh_waiting_each(const struct lh_poll_wait *wait, void (*note)(void *to, int fd, bool reads),
                     void *to)
{
    if (wait->fds != NULL) {
        each_of_array(wait, note, to);
        return;
    }
    each_of_set(wait->reads, wait->count, true, note, to);
    each_of_set(wait->writes, wait->count, false, note, to);
    each_of_set(wait->excepts, wait->count, false, note, to);
}

/* One that is waited for in two ways is one as far as the first are concerned. */
static void add(void *to, int fd, bool reads)
{
    struct lh_waited *waited = to;
    (void)reads;
    for (uint32_t i = 0; i < least(waited->count, LH_WAITED_FIRST); i++)
        if (waited->first[i] == fd)
            return;
    if (waited->count < LH_WAITED_FIRST)
        waited->first[waited->count] = fd;
    waited->count++;
}

struct lh_waiting *lh_waiting_for_sets(struct lh_waiting *waiting, int count, const fd_set *reads,
                                       const fd_set *writes, const fd_set *excepts,
                                       int64_t timeout_ns, const struct timespec *timeout)
{
    const struct lh_poll_wait wait = {.count = count > 0 ? (uint32_t)count : 0,
                                      .reads = reads,
                                      .writes = writes,
                                      .excepts = excepts};
    waiting->timeout_ns = timeout_ns;
    waiting->timeout = timeout;
    if (timeout_ns != 0)
        lh_waiting_each(&wait, add, &waiting->of_sets);
    return waiting;
}

/* A set has an order that only the kernel knows: the lowest ones are told. */
static void add_lowest(struct lh_waited *waited, int fd)
{
    uint32_t i = least(waited->count++, LH_WAITED_FIRST - 1);
    if (waited->count > LH_WAITED_FIRST && waited->first[i] < fd)
        return;
    for (; i > 0 && waited->first[i - 1] > fd; i--)
        waited->first[i] = waited->first[i - 1];
    waited->first[i] = fd;
}

/* Takes the descriptors out of the text of /proc/PID/fdinfo/N (proc_pid_fdinfo(5)), which comes in
 * pieces: lines "tfd:        7 events: ...". */
struct set_text {
    struct lh_waited *waited;
    uint32_t matched; /* characters of the key that the line begins with */
    bool is_read;     /* what stands behind the number, or a line of another kind */
    int fd;           /* -1: no digit yet */
};

static void begin_line(struct set_text *text)
{
    text->matched = 0;
    text->is_read = false;
    text->fd = -1;
}

static void add_character(struct set_text *text, char character)
{
    static const char key[] = "tfd:";
    if (character == '\n') {
        begin_line(text);
    } else if (text->is_read) {
        return;
    } else if (key[text->matched] != '\0') {
        text->is_read = key[text->matched++] != character;
    } else if (character >= '0' && character <= '9') {
        text->fd = (text->fd < 0 ? 0 : text->fd * 10) + character - '0';
    } else if (text->fd >= 0) {
        add_lowest(text->waited, text->fd);
        text->is_read = true;
    }
}

/* The watchdog has descriptors of its own; the process's are those of its first thread. */
static void read_set(int epfd, bool own, struct lh_waited *waited)
{
    char piece[512] = {0};
    char name[48];
    struct lh_text path;
    struct set_text text = {.waited = waited};
    begin_line(&text);
    lh_text_init(&path, name, sizeof(name));
    lh_text_string(&path, own ? "/proc/thread-self/fdinfo/" : "/proc/self/fdinfo/");
    lh_text_u64(&path, (uint64_t)epfd);
    long fd = lh_syscall4(SYS_openat, AT_FDCWD, (long)name, O_RDONLY | O_CLOEXEC, 0);
    long length = 0;
    while (fd >= 0 && (length = lh_syscall3(SYS_read, fd, (long)piece, sizeof(piece))) > 0)
        for (long i = 0; i < length; i++)
            add_character(&text, piece[i]);
    if (fd >= 0)
        lh_syscall1(SYS_close, fd);
}

static int64_t timeout_of(const struct lh_waiting *waiting)
{
    struct timespec time;
    if (waiting->timeout == NULL ||
        lh_memory_read_self(&time, (uintptr_t)waiting->timeout, sizeof(time)) != 0)
        return waiting->timeout_ns < 0 ? LH_FOR_EVER : waiting->timeout_ns;
    return time.tv_sec * LH_NS_PER_S + time.tv_nsec;
}

int64_t lh_waiting_read(uint64_t operand, bool own, struct lh_waited *waited)
{
    struct lh_waiting waiting;
    *waited = (struct lh_waited){0};
    if (lh_memory_read_self(&waiting, operand, sizeof(waiting)) != 0)
        return LH_FOR_EVER;
    *waited = waiting.of_sets;
    if (waiting.array != NULL) {
        const struct lh_poll_wait wait = {.fds = waiting.array, .count = waiting.length};
        lh_waiting_each(&wait, add, waited);
    } else if (waiting.epfd >= 0) {
        read_set(waiting.epfd, own, waited);
    }
    return timeout_of(&waiting);
}

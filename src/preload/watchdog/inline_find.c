/* SPDX-License-Identifier: Apache-2.0 */
/* Finding loops that park past libc. See inline_find.h: raw system calls, no libc state, no malloc.
 */
#include "preload/watchdog/inline_find.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "common/call_ids.h"
#include "common/text.h"
#include "preload/reader/module.h"
#include "preload/state/in_loop.h"
#include "preload/state/meet.h"
#include "preload/state/record.h"
#include "preload/sys/clock.h"
#include "preload/sys/memory.h"
#include "preload/sys/syscall.h"
#include "preload/watchdog/go.h"
#include "preload/watchdog/inline_watch.h"
#include "preload/watchdog/trip.h"

#define FIRST_NS      (10 * LH_NS_PER_MS)
#define LAST_NS       (60 * LH_NS_PER_S)
#define LOOKS_AT_MOST 512 /* threads in one look */
#define CANDIDATES    32
#define NAME_BYTES    24

/* One who was seen once. */
struct candidate {
    uint32_t tid;
    int32_t epfd;
};

static struct {
    int64_t due_ns; /* CLOCK_MONOTONIC */
    int64_t wait_ns;
    struct candidate seen[CANDIDATES];
    uint32_t count;
    uint32_t next;
    bool is_go; /* nothing is to be found */
} finds;

static void begin_anew(void)
{
    finds.wait_ns = FIRST_NS;
    finds.due_ns = lh_clock_ns(CLOCK_MONOTONIC) + FIRST_NS;
}

static void wait_longer(void)
{
    finds.wait_ns += finds.wait_ns / 2;
    finds.due_ns =
        finds.wait_ns > LAST_NS ? INT64_MAX : lh_clock_ns(CLOCK_MONOTONIC) + finds.wait_ns;
}

/* The memory is the parent's in a child of fork, which has a watchdog of its own. */
void lh_inline_find_begin(void)
{
    static uint32_t pid;
    uint32_t own = (uint32_t)lh_syscall0(SYS_getpid);
    if (pid == own)
        return;
    pid = own;
    finds.count = finds.next = 0;
    begin_anew();
}

int64_t lh_inline_due_ns(void)
{
    if (lh_options.loop_mode == LH_LOOP_NONE || finds.due_ns == INT64_MAX)
        return -1;
    int64_t left_ns = finds.due_ns - lh_clock_ns(CLOCK_MONOTONIC);
    return left_ns > 0 ? left_ns : 0;
}

/* ---- is it one? ---- */

static struct lh_slot *slot_of(uint32_t tid)
{
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++)
        if (atomic_load(&lh_process->slots[i].tid) == tid)
            return &lh_process->slots[i];
    return NULL;
}

static bool is_wanted(uint32_t tid)
{
    char name[LH_THREAD_NAME] = "";
    switch (lh_options.loop_mode) {
    case LH_LOOP_AUTO:
        return true;
    case LH_LOOP_MAIN:
        return tid == (uint32_t)lh_syscall0(SYS_getpid);
    default:
        lh_proc_thread_name(tid, name);
        return lh_glob_list_match(lh_options.loop_globs, name);
    }
}

static bool only_looks(const struct lh_thread_wait *wait)
{
    struct timespec time = {0, 1};
    if (wait->number != SYS_epoll_pwait2)
        return (int32_t)wait->fourth == 0;
    if (wait->fourth != 0 && lh_memory_read_self(&time, wait->fourth, sizeof(time)) != 0)
        return true;
    return time.tv_sec == 0 && time.tv_nsec == 0;
}

/* Our own instructions are none of the program's either. */
static bool is_libcs(uintptr_t pc)
{
    static const char *const names[] = {"libc.so.", "libc-", "libpthread", "libloophound"};
    static struct lh_module module; /* large */
    lh_module_find(pc, &module);
    const char *slash = strrchr(module.path, '/');
    if (slash == NULL)
        return false; /* made by a compiler at run time */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(slash + 1, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* "/proc/self/": the program's descriptors, not ours. */
static void path_of(char *path, size_t size, const char *folder, uint64_t fd)
{
    struct lh_text text;
    lh_text_init(&text, path, size);
    lh_text_string(&text, "/proc/self/");
    lh_text_string(&text, folder);
    lh_text_u64(&text, fd);
}

static bool is_wakeup(uint64_t fd)
{
    static const char *const kinds[] = {"anon_inode:[eventfd]", "anon_inode:[timerfd]",
                                        "anon_inode:[signalfd]"};
    char path[48];
    char kind[48] = "";
    path_of(path, sizeof(path), "fd/", fd);
    long length =
        lh_syscall4(SYS_readlinkat, AT_FDCWD, (long)path, (long)kind, (long)sizeof(kind) - 1);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (length > 0 && strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

/* "tfd:        4 events:       19 data: ...": proc_pid_fdinfo(5), what an epoll set holds. Loops
 * watch their wake-ups from the start, so that the first of them are enough. */
static bool set_holds_wakeup(int32_t epfd)
{
    static const char begin[] = "tfd:";
    static char lines[4096];
    char path[48];
    path_of(path, sizeof(path), "fdinfo/", (uint64_t)epfd);
    if (epfd < 0 || lh_proc_read_file(path, lines, sizeof(lines)) <= 0)
        return false;
    for (const char *line = lines; (line = strstr(line, begin)) != NULL;) {
        line += sizeof(begin) - 1;
        line += strspn(line, " ");
        if (is_wakeup(lh_proc_field(line, 0)))
            return true;
    }
    return false;
}

static bool is_a_loops_set(int32_t epfd)
{
    uint32_t used = atomic_load(&lh_process->slots_used);
    for (uint32_t i = 0; i < used; i++) {
        const struct lh_slot *slot = &lh_process->slots[i];
        if (atomic_load(&slot->tid) != 0 && atomic_load(&slot->inlined.is) != 0 &&
            slot->epfd == epfd)
            return true;
    }
    return false;
}

/* True: and it was seen so before. */
static bool was_seen(uint32_t tid, int32_t epfd)
{
    for (uint32_t i = 0; i < finds.count; i++)
        if (finds.seen[i].tid == tid && finds.seen[i].epfd == epfd)
            return true;
    finds.seen[finds.next++ % CANDIDATES] = (struct candidate){tid, epfd};
    if (finds.count == CANDIDATES)
        return false;
    finds.count++;
    begin_anew();
    return false;
}

/* It may have the set of one that is. */
static void note_not_wanted(const struct lh_thread_wait *wait, int32_t epfd)
{
    uint32_t word = (uint32_t)epfd + 1;
    if (atomic_load(&lh_process->not_wanted) != word && !is_libcs(wait->pc) &&
        set_holds_wakeup(epfd))
        atomic_store(&lh_process->not_wanted, word);
}

/* Its threads wait past libc, and run no loop. Asked for the first thread that waits so: the answer
 * is looked for in the whole file's data. */
static bool has_gos_waits(void)
{
    finds.is_go = lh_is_go();
    return finds.is_go;
}

static bool is_loop(uint32_t tid, const struct lh_thread_wait *wait, int32_t *epfd)
{
    if (!lh_inline_is_park(wait, epfd) || only_looks(wait) || has_gos_waits())
        return false;
    if (!is_wanted(tid)) {
        note_not_wanted(wait, *epfd);
        return false;
    }
    if (is_a_loops_set(*epfd))
        return !is_libcs(wait->pc);
    return was_seen(tid, *epfd) && !is_libcs(wait->pc) && set_holds_wakeup(*epfd);
}

/* ---- it is ---- */

static void write_event(const struct lh_slot *slot, long number)
{
    struct lh_call_copy copy = {.tid = atomic_load(&slot->tid), .call = LH_CALL_epoll_wait};
    if (number == SYS_epoll_pwait)
        copy.call = LH_CALL_epoll_pwait;
    if (number == SYS_epoll_pwait2)
        copy.call = LH_CALL_epoll_pwait2;
    struct lh_record *record = lh_record_begin(LH_EVENT_LOOP, &copy, 0, false);
    if (record == NULL)
        return;
    record->found = LH_FOUND_BY_CALL;
    record->fd = slot->epfd;
    lh_record_publish(record);
}

static void prepare(struct lh_slot *slot)
{
    slot->park = (struct lh_call_site){0, 0};
    memset(slot->former, -1, sizeof(slot->former));
    slot->anchor = (struct lh_anchor){.fd = -1};
    slot->stays = false;
    slot->python_thread = 0;
    slot->isolate = 0;
    slot->started_in = 0;
    slot->came_at = lh_counter();
    atomic_store(&slot->allow_depth, 0);
    lh_in_loop_parks(slot);
}

/* One that was said to be a loop has a slot, and knows it. */
static void take(uint32_t tid, int32_t epfd, const struct lh_thread_wait *wait)
{
    struct lh_slot *slot = slot_of(tid);
    struct lh_ring *ring = atomic_load(&lh_process->ring);
    bool is_new = slot == NULL;
    if (is_new && (slot = lh_slot_take(tid)) == NULL)
        return;
    if (is_new)
        prepare(slot);
    atomic_store(&slot->inlined.met, !is_new);
    lh_inline_take(slot, epfd, wait);
    if (!is_new)
        return;
    if (ring != NULL)
        atomic_fetch_add(&ring->totals.loops, 1);
    write_event(slot, wait->number);
    if (lh_meet_ask != NULL)
        lh_meet_ask(true);
}

static bool is_known(uint32_t tid)
{
    const struct lh_slot *slot = slot_of(tid);
    return tid == (uint32_t)atomic_load(&lh_process->watchdog_tid) ||
           (slot != NULL && (slot->epfd >= 0 || slot->anchor.fd >= 0));
}

static void look_at(uint32_t tid, bool (*found)(void))
{
    struct lh_thread_wait wait;
    int32_t epfd;
    if (is_known(tid) || !lh_proc_thread_wait(tid, &wait) || !is_loop(tid, &wait, &epfd))
        return;
    if (found != NULL && !found())
        return;
    take(tid, epfd, &wait);
    begin_anew();
}

/* ---- all threads ---- */

/* linux_dirent64: getdents(2). */
static uint32_t look_at_names(const char *names, long length, bool (*found)(void))
{
    uint32_t count = 0;
    for (long at = 0; at < length; count++) {
        const struct dirent64 *entry = (const void *)(names + at);
        uint32_t tid = (uint32_t)lh_proc_field(entry->d_name, 0);
        if (tid != 0)
            look_at(tid, found);
        at += entry->d_reclen;
    }
    return count;
}

static void look_at_all(bool (*found)(void))
{
    static char names[4096] __attribute__((aligned(8)));
    long folder = lh_syscall4(SYS_openat, AT_FDCWD, (long)"/proc/self/task",
                              O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    uint32_t left = LOOKS_AT_MOST;
    long length = 0;
    if (folder < 0)
        return;
    while (left > 0 &&
           (length = lh_syscall3(SYS_getdents64, folder, (long)names, sizeof(names))) > 0) {
        uint32_t count = look_at_names(names, length, found);
        left = count < left ? left - count : 0;
    }
    lh_syscall1(SYS_close, folder);
}

void lh_inline_look(bool (*found)(void))
{
    if (lh_inline_due_ns() != 0)
        return;
    wait_longer();
    if (!finds.is_go)
        look_at_all(found);
}

void lh_inline_look_now(void)
{
    if (lh_options.loop_mode != LH_LOOP_NONE && !finds.is_go)
        look_at_all(NULL);
}

static bool has_tripwires(uint32_t tid)
{
    int trip = lh_trip_set(tid, (uintptr_t)has_tripwires);
    if (trip >= 0)
        lh_trip_take(trip);
    return trip >= 0;
}

const char *lh_inline_problem(bool found)
{
    char line[128];
    uint32_t self = (uint32_t)lh_syscall0(SYS_gettid);
    if (lh_proc_read(self, "syscall", line, sizeof(line)) > 0)
        return !found || has_tripwires(self) ? NULL : LH_NO_TRIP;
    return "the kernel does not say what threads wait in (/proc/self/task/*/syscall): calls are "
           "told when they have ended, and loops that wait past libc, as Rust's polling and Bun, "
           "are not found";
}

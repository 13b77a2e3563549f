/* SPDX-License-Identifier: Apache-2.0 */
/* One watched program. lh_watched_* run on the collector's driving thread, serve() and what it
 * calls on the thread of the ring.
 *
 * The ring is shared with a program that may write anything to it at any time: each word of it is
 * read once, and can only make what is said about that program wrong. */
#include "collect/link/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collect/link/memory_limit.h"
#include "collect/link/own_judge.h"
#include "collect/link/rights.h"
#include "collect/link/ring_map.h"
#include "collect/link/ring_thread.h"
#include "collect/link/surroundings.h"
#include "collect/report/reporter.h"
#include "collect/sink/sink.h"
#include "collect/stack/stack.h"
#include "collect/sys/clock.h"
#include "collect/sys/futex.h"
#include "collect/sys/run_id.h"
#include "common/text.h"
#include "common/units.h"

#define WAIT_NS (500 * LH_NS_PER_MS) /* longest sleep, should a wake-up be missing */

struct lh_watched {
    struct lh_ring *ring;   /* shared */
    struct lh_ring *header; /* private, checked */
    struct ucred peer;
    int pidfd;
    int maps_fd;  /* to see whether the image is still there */
    int ended_fd; /* not ours */
    struct lh_outputs *outputs;
    struct lh_output *output;
    struct lh_sink *sink;
    struct lh_stacks *stacks;
    struct lh_judge *judge;
    bool owns_judge;
    struct lh_reporter *reporter;
    pthread_t thread;
    bool has_thread;
    _Atomic bool stop;
    _Atomic uint32_t ended;  /* a futex */
    _Atomic uint64_t lost;   /* reports that were in the ring and did not come out */
    _Atomic uint64_t blocks; /* without an end; not in the ring's totals */
    _Atomic uint64_t stalls; /* as above */

    /* The thread's own. */
    _Atomic uint64_t position; /* in the ring; read by lh_watched_abandon too */
    bool summary_written;
    bool said_bad;
    uint32_t given_up; /* see lh_memory_give_up() */
    struct lh_rights rights;
    struct lh_ring_mark mark;
    struct lh_record record;
};

static void note_lost(struct lh_watched *watched, uint64_t count)
{
    atomic_fetch_add(&watched->lost, count);
}

static void note_result(struct lh_watched *watched, int error)
{
    if (error != 0)
        note_lost(watched, 1);
}

static void say_bad(struct lh_watched *watched)
{
    note_lost(watched, 1);
    if (watched->said_bad)
        return;
    watched->said_bad = true;
    lh_output_say("process %u left a damaged report, which is dropped", watched->header->pid);
}

static void report(struct lh_watched *watched, uint64_t position)
{
    const struct lh_record *record = &watched->record;
    if (record->type == LH_EVENT_LOST)
        return;
    lh_rights_follow(&watched->rights, record->uid);
    if (lh_record_check(record))
        note_lost(watched, lh_reporter_take(watched->reporter, record, position));
    else
        say_bad(watched);
}

/* Tells the program how far its events have been written out. */
static void publish(struct lh_watched *watched)
{
    uint64_t told = lh_reporter_reported(watched->reporter, atomic_load(&watched->position));
    if (atomic_exchange(&watched->ring->written, (uint32_t)told) == (uint32_t)told)
        return;
    lh_futex_wake_all(&watched->ring->written);
}

static bool report_next(struct lh_watched *watched)
{
    uint64_t position = atomic_load(&watched->position);
    uint64_t next = position;
    if (!lh_ring_take(watched->ring, &next, &watched->record))
        return false;
    atomic_store(&watched->position, next);
    report(watched, position);
    publish(watched);
    return true;
}

static void release(struct lh_watched *watched, bool all)
{
    lh_rights_follow(&watched->rights, watched->rights.uid);
    note_lost(watched, lh_reporter_release(watched->reporter, all));
    publish(watched);
}

static void write_summary(struct lh_watched *watched)
{
    struct lh_totals *totals = &watched->header->totals;
    if (watched->summary_written)
        return;
    watched->summary_written = true;
    lh_copy_totals(totals, &watched->ring->totals);
    lh_reporter_count(watched->reporter, totals);
    const struct lh_judged *judged = lh_reporter_judged(watched->reporter);
    lh_judged_leave_out(judged, totals);
    atomic_fetch_add(&totals->dropped, atomic_load(&watched->lost));
    note_result(watched, lh_sink_summary(watched->sink, lh_realtime_ns(), &judged->quiet));
}

static void count_unended(struct lh_watched *watched)
{
    struct lh_totals unended = {0};
    lh_reporter_count(watched->reporter, &unended);
    atomic_store(&watched->blocks, atomic_load(&unended.blocks));
    atomic_store(&watched->stalls, atomic_load(&unended.stalls));
}

static void say_drained(struct lh_watched *watched)
{
    note_lost(watched, lh_reporter_end(watched->reporter));
    publish(watched);
    count_unended(watched);
    write_summary(watched);
    atomic_store(&watched->ring->drained, 1);
    lh_futex_wake_all(&watched->ring->drained);
}

/* How many records were begun and not yet taken, whatever `head` says. */
static uint64_t records_left(const struct lh_watched *watched)
{
    uint64_t left = atomic_load(&watched->ring->head) - atomic_load(&watched->position);
    return left <= LH_RING_CELLS ? left : 0;
}

static void serve_living(struct lh_watched *watched)
{
    struct lh_ring *ring = watched->ring;
    while (!atomic_load(&watched->stop)) {
        uint32_t wake = atomic_load(&ring->wake);
        bool closing = atomic_load(&ring->closing) != 0;
        if (lh_memory_give_up(&watched->given_up))
            lh_reporter_give_up(watched->reporter);
        if (report_next(watched))
            continue;
        if (closing && !watched->summary_written && records_left(watched) == 0)
            say_drained(watched);
        else
            lh_futex_wait_for(&ring->wake, wake, lh_reporter_due_ns(watched->reporter, WAIT_NS));
        release(watched, false);
    }
}

/* A thread that died while it filled in a record never commits it. */
static void serve_rest(struct lh_watched *watched)
{
    for (uint64_t left = records_left(watched); left > 0; left--) {
        if (report_next(watched))
            continue;
        note_lost(watched, 1);
        atomic_fetch_add(&watched->position, 1);
        publish(watched);
    }
}

static void *serve(void *argument)
{
    struct lh_watched *watched = argument;
    const int ended_fd = watched->ended_fd;
    const uint64_t one = 1;
    lh_ring_thread_mark(&watched->mark, &watched->ring->reader);
    lh_output_prepare(watched->output);
    lh_rights_follow(&watched->rights, watched->rights.uid);
    lh_surroundings_find(watched->header, watched->stacks);
    note_result(watched, lh_sink_start(watched->sink));
    serve_living(watched);
    serve_rest(watched);
    atomic_store(&watched->ring->attached, 0);
    say_drained(watched);
    atomic_store(&watched->ended, 1); /* from here on it may be freed, after a join */
    lh_futex_wake_all(&watched->ended);
    if (write(ended_fd, &one, sizeof(one)) < 0)
        lh_output_say("cannot tell that a program is done");
    return NULL;
}

/* The collector's rights open the output, so another user's program must not choose it. */
static void impose(struct lh_options *options, const struct lh_options *imposed)
{
    options->output_kind = imposed->output_kind;
    options->output_fd = imposed->output_fd;
    options->format = imposed->format;
    options->stacks = imposed->stacks;
    options->output_limit = imposed->output_limit;
    memcpy(options->output, imposed->output, sizeof(options->output));
}

static int open_sink(struct lh_watched *watched, const struct lh_watched_setup *setup,
                     uint32_t main_tid)
{
    struct lh_output_target target;
    if (setup->imposed != NULL)
        impose(&watched->header->options, setup->imposed);
    int error = lh_output_target(&target, watched->header, setup->adopted);
    if (error != 0)
        return error;
    watched->output = lh_output_get(setup->outputs, &target);
    if (watched->output == NULL)
        return -ENOMEM;
    const struct lh_sink_setup sink = {
        .header = watched->header,
        .main_tid = main_tid,
        .output = watched->output,
        .colour = !lh_sink_no_colour(watched->peer.pid),
    };
    watched->sink = lh_sink_new(&sink);
    return watched->sink != NULL ? 0 : -ENOMEM;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* The stacks take setup->maps_fd; ours is a duplicate, which pread(2) leaves where it stands. */
static int open_stacks(struct lh_watched *watched, const struct lh_watched_setup *setup)
{
    bool mapped = setup->maps_fd >= 0;
    watched->maps_fd = mapped ? fcntl(setup->maps_fd, F_DUPFD_CLOEXEC, 0) : -1;
    watched->stacks = lh_stacks_open((pid_t)watched->header->pid, setup->maps_fd,
                                     watched->header->options.project);
    if (mapped && watched->maps_fd < 0)
        return -errno;
    if (!mapped && watched->pidfd < 0) /* nothing would tell its end */
        return -EINVAL;
    return watched->stacks != NULL ? 0 : -ENOMEM;
}

/* Up to the point where the descriptors have been taken over. */
static int attach(struct lh_watched *watched, const struct lh_watched_setup *setup)
{
    int error = setup->maps_fd >= 0 ? lh_ring_map_check_maps(setup->maps_fd) : 0;
    if (error == 0)
        error = lh_ring_map(&watched->ring, setup->ring_fd);
    close(setup->ring_fd);
    if (error == 0)
        error = lh_ring_claim(watched->ring);
    if (error == 0)
        error = lh_ring_map_header(&watched->header, watched->ring);
    if (error != 0)
        close_if_open(setup->maps_fd);
    return error;
}

/* What an earlier reader took and did not live to write is lost. */
static void take_up_reading(struct lh_watched *watched)
{
    uint64_t position = lh_ring_resume(watched->ring);
    uint32_t unwritten = (uint32_t)position - atomic_load(&watched->ring->written);
    atomic_store(&watched->position, position);
    if (unwritten > 0 && unwritten <= LH_RING_CELLS)
        note_lost(watched, unwritten);
    publish(watched);
    atomic_store(&watched->ring->drained, 0);
    atomic_store(&watched->ring->attached, 1);
}

static int start(struct lh_watched *watched, const struct lh_watched_setup *setup)
{
    int error = attach(watched, setup);
    if (error != 0)
        return error;
    (void)lh_text_copy(watched->header->run, sizeof(watched->header->run), lh_run_id());
    uint32_t main_tid = watched->header->pid;
    if (setup->peer.pid > 0) {
        watched->header->pid = (uint32_t)setup->peer.pid;
        watched->pidfd = (int)syscall(SYS_pidfd_open, setup->peer.pid, 0);
    }
    error = open_stacks(watched, setup);
    if (error == 0)
        error = open_sink(watched, setup, main_tid);
    if (error != 0)
        return error;
    watched->owns_judge = setup->judge == NULL;
    watched->judge = setup->judge;
    if (watched->owns_judge)
        watched->judge = lh_own_judge(watched->header, setup->peer.uid == geteuid());
    if (watched->judge == NULL)
        return -ENOMEM;
    const struct lh_reporter_setup with = {watched->ring, watched->header, watched->stacks,
                                           watched->sink, watched->judge,  main_tid};
    watched->reporter = lh_reporter_new(&with);
    if (watched->reporter == NULL)
        return -ENOMEM;
    take_up_reading(watched);
    error = lh_ring_thread_start(&watched->thread, serve, watched);
    watched->has_thread = error == 0;
    return error;
}

int lh_watched_start(struct lh_watched **result, const struct lh_watched_setup *setup)
{
    struct lh_watched *watched = calloc(1, sizeof(*watched));
    if (watched == NULL) {
        close(setup->ring_fd);
        close_if_open(setup->maps_fd);
        return -ENOMEM;
    }
    watched->peer = setup->peer;
    watched->rights = (struct lh_rights){setup->peer.pid, setup->peer.uid, setup->peer.gid};
    watched->pidfd = -1;
    watched->maps_fd = -1;
    watched->ended_fd = setup->ended_fd;
    watched->outputs = setup->outputs;
    int error = start(watched, setup);
    if (error != 0) {
        if (watched->ring != NULL)
            atomic_store(&watched->ring->attached, 0);
        lh_watched_free(watched);
        return error;
    }
    *result = watched;
    return 0;
}

int lh_watched_pidfd(const struct lh_watched *watched)
{
    return watched->pidfd;
}

bool lh_watched_is_gone(const struct lh_watched *watched)
{
    char byte;
    struct pollfd item = {.fd = watched->pidfd, .events = POLLIN};
    if (watched->pidfd >= 0 && poll(&item, 1, 0) > 0)
        return true;
    ssize_t length = pread(watched->maps_fd, &byte, 1, 0);
    return length == 0 || (length < 0 && errno == ESRCH);
}

/* Raises `wake` too, so that a thread about to wait does not. */
void lh_watched_stop(struct lh_watched *watched)
{
    atomic_store(&watched->stop, true);
    atomic_fetch_add(&watched->ring->wake, 1);
    lh_futex_wake_all(&watched->ring->wake);
}

bool lh_watched_has_ended(const struct lh_watched *watched)
{
    return atomic_load(&watched->ended) != 0;
}

/* pthread_clockjoin_np(3) is of glibc 2.31; the wheel's command runs on older ones. */
int lh_watched_wait(struct lh_watched *watched, int64_t deadline_ns)
{
    while (watched->has_thread && atomic_load(&watched->ended) == 0) {
        int64_t left_ns = deadline_ns - lh_monotonic_ns();
        if (left_ns <= 0)
            return -ETIMEDOUT;
        lh_futex_wait_for(&watched->ended, 0, left_ns < WAIT_NS ? left_ns : WAIT_NS);
    }
    if (watched->has_thread)
        pthread_join(watched->thread, NULL);
    watched->has_thread = false;
    return 0;
}

uint64_t lh_watched_abandon(struct lh_watched *watched)
{
    pthread_detach(watched->thread);
    watched->has_thread = false;
    return records_left(watched);
}

void lh_watched_count(const struct lh_watched *watched, struct lh_run_totals *run)
{
    const struct lh_totals *totals = &watched->ring->totals;
    const struct lh_judged *judged = lh_reporter_judged(watched->reporter);
    uint64_t blocks = atomic_load(&totals->blocks) + atomic_load(&watched->blocks);
    for (int noise = LH_NOISE_NONE + 1; noise < LH_NOISE_COUNT; noise++) {
        uint64_t found = atomic_load(&judged->noise[noise]);
        run->quiet[noise] += atomic_load(&totals->quiet[noise]) + found;
        blocks -= found < blocks ? found : blocks;
    }
    run->blocks += blocks;
    run->loops += atomic_load(&totals->loops);
    run->stalls += atomic_load(&totals->stalls) + atomic_load(&watched->stalls);
    run->dropped += atomic_load(&totals->dropped) + atomic_load(&watched->lost);
}

void lh_watched_free(struct lh_watched *watched)
{
    if (watched->has_thread)
        pthread_join(watched->thread, NULL);
    lh_reporter_free(watched->reporter);
    if (watched->owns_judge)
        lh_judge_free(watched->judge);
    lh_sink_free(watched->sink);
    if (watched->stacks != NULL)
        lh_stacks_close(watched->stacks);
    if (watched->output != NULL)
        lh_output_put(watched->outputs, watched->output);
    close_if_open(watched->maps_fd);
    close_if_open(watched->pidfd);
    if (watched->header != NULL)
        lh_ring_unmap_header(watched->header);
    if (watched->ring != NULL)
        lh_ring_unmap(watched->ring);
    free(watched);
}

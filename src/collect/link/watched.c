/* SPDX-License-Identifier: Apache-2.0 */
/* One watched program: begins and ends with it. Runs on the collector's driving thread. */
#include "collect/link/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "collect/link/own_judge.h"
#include "collect/link/ring_map.h"
#include "collect/link/ring_thread.h"
#include "collect/link/watched_thread.h"
#include "collect/sys/clock.h"
#include "collect/sys/futex.h"
#include "collect/sys/run_id.h"
#include "common/text.h"
#include "common/units.h"

#define WAIT_NS (500 * LH_NS_PER_MS) /* longest sleep, should the wake-up be missing */

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

static int open_kept(struct lh_watched *watched, const struct lh_watched_setup *setup)
{
    const struct lh_output_target target = {
        .kind = LH_OUTPUT_FD, .fd = setup->kept_fd, .ours = true};
    watched->kept = lh_output_get(setup->outputs, &target);
    return watched->kept != NULL ? 0 : -ENOMEM;
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
    if (setup->kept_fd >= 0 && open_kept(watched, setup) != 0)
        return -ENOMEM;
    const struct lh_sink_setup sink = {
        .header = watched->header,
        .kept = watched->kept,
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
    lh_watched_take_up(watched);
    error = lh_ring_thread_start(&watched->thread, lh_watched_serve, watched);
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
    lh_rights_init(&watched->rights, setup->peer.pid, setup->peer.uid, setup->peer.gid);
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
    return lh_watched_left(watched);
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
    if (watched->kept != NULL)
        lh_output_put(watched->outputs, watched->kept);
    lh_rights_end(&watched->rights);
    close_if_open(watched->maps_fd);
    close_if_open(watched->pidfd);
    if (watched->header != NULL)
        lh_ring_unmap_header(watched->header);
    if (watched->ring != NULL)
        lh_ring_unmap(watched->ring);
    free(watched);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Writing reports. Runs in the collector, on the threads of its rings.
 *
 * A reader that is too slow costs each writer WRITE_WAIT_NS once; from then on nothing waits until
 * a write has gone through again. A line that was begun is completed before the next one is. */
#include "collect/sink/output.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/sink/output_open.h"
#include "collect/sys/clock.h"
#include "common/output_rules.h"
#include "common/units.h"

#define WRITE_WAIT_NS (100 * LH_NS_PER_MS)
#define OPEN_RETRY_NS LH_NS_PER_S
#define USUAL_COLUMNS 80

struct lh_output {
    struct lh_output *next;
    struct lh_output_target target;
    _Atomic unsigned users; /* changed under outputs->lock */

    pthread_mutex_t lock; /* of all below */
    struct lh_bucket limit;
    struct lh_output_file file;
    bool is_open;
    bool stuck;       /* the last write was not taken */
    bool said;        /* the user knows of a loss */
    bool said_limit;  /* … and of what was over the limit */
    int open_error;   /* of the last try */
    int64_t retry_ns; /* CLOCK_MONOTONIC: no try to open before */
    char *rest;       /* of a line that was begun */
    size_t rest_length;
    off_t file_size;        /* of a disk file, when it was looked at last */
    uint64_t file_number;   /* counts its files, and those that were emptied */
    struct lh_id_set known; /* ids that have a meaning in that file */
};

struct lh_outputs {
    pthread_mutex_t lock;
    struct lh_output *first;
};

static void forget_rest(struct lh_output *output)
{
    free(output->rest);
    output->rest = NULL;
    output->rest_length = 0;
}

static void begin_file(struct lh_output *output)
{
    output->file_number++;
    output->file_size = 0;
    lh_id_set_clear(&output->known);
}

static void close_file(struct lh_output *output)
{
    begin_file(output);
    if (output->is_open && output->file.owned)
        close(output->file.fd);
    output->is_open = false;
    forget_rest(output);
}

static int ensure_open(struct lh_output *output)
{
    if (output->is_open)
        return 0;
    int64_t now = lh_monotonic_ns();
    if (output->open_error != 0 && now < output->retry_ns)
        return output->open_error;
    output->open_error = lh_output_open(&output->file, &output->target);
    output->retry_ns = now + OPEN_RETRY_NS;
    output->is_open = output->open_error == 0;
    return output->open_error;
}

static int write_rest(struct lh_output *output, int64_t deadline_ns)
{
    size_t done;
    if (output->rest_length == 0)
        return 0;
    int error =
        lh_output_write_all(&output->file, output->rest, output->rest_length, deadline_ns, &done);
    output->rest_length -= done;
    memmove(output->rest, output->rest + done, output->rest_length);
    if (error == 0)
        forget_rest(output);
    return error;
}

/* A log may be moved away by its name (logrotate(8)): what follows goes to a new file of that name.
 * Where none can be made, the old one is as good, unless nobody can find it any more. */
static void follow_name(struct lh_output *output)
{
    struct stat ours;
    struct stat named;
    struct lh_output_file fresh;
    if (fstat(output->file.fd, &ours) != 0)
        return;
    if (S_ISREG(ours.st_mode) && ours.st_size < output->file_size) {
        begin_file(output); /* emptied by somebody: what follows must be read without what was */
        output->file.torn = false;
    }
    output->file_size = ours.st_size;
    if (output->target.kind != LH_OUTPUT_PATH)
        return;
    if (stat(output->target.path, &named) == 0 && named.st_ino == ours.st_ino &&
        named.st_dev == ours.st_dev)
        return;
    int error = lh_output_open(&fresh, &output->target);
    if (error != 0 && ours.st_nlink > 0)
        return;
    close_file(output);
    output->open_error = error;
    output->retry_ns = lh_monotonic_ns() + OPEN_RETRY_NS;
    output->is_open = error == 0;
    if (error == 0)
        output->file = fresh;
}

/* Without memory for the rest, the line stays torn, and the next one begins behind it. */
static void keep_rest(struct lh_output *output, const char *bytes, size_t length)
{
    output->rest = malloc(length);
    output->file.torn = output->rest == NULL;
    if (output->rest == NULL)
        return;
    memcpy(output->rest, bytes, length);
    output->rest_length = length;
}

/* Nobody will complete what an earlier writer left; what follows is not to be a part of that. */
static int end_torn_line(struct lh_output *output, int64_t deadline_ns)
{
    size_t done;
    int error =
        output->file.torn ? lh_output_write_all(&output->file, "\n", 1, deadline_ns, &done) : 0;
    if (error == 0)
        output->file.torn = false;
    return error;
}

static int write_line(struct lh_output *output, const char *bytes, size_t length,
                      const struct lh_output_news *news)
{
    int64_t deadline_ns = output->stuck ? 0 : lh_monotonic_ns() + WRITE_WAIT_NS;
    size_t done;
    int error = ensure_open(output);
    if (error != 0)
        return error;
    error = write_rest(output, deadline_ns);
    if (error != 0)
        return error;
    follow_name(output);
    if (!output->is_open)
        return output->open_error;
    if (news != NULL && news->file_number != output->file_number)
        return -ESTALE;
    error = end_torn_line(output, deadline_ns);
    if (error != 0)
        return error;
    error = lh_output_write_all(&output->file, bytes, length, deadline_ns, &done);
    if (error != 0 && done > 0)
        keep_rest(output, bytes + done, length - done);
    return error;
}

static bool reader_is_gone(int error)
{
    return error == -EPIPE || error == -ECONNRESET || error == -ENOTCONN;
}

static const char *target_name(const struct lh_output_target *target, char *name, size_t size)
{
    if (target->kind != LH_OUTPUT_FD)
        return target->path;
    (void)snprintf(name, size, "descriptor %d", target->fd);
    return name;
}

static const char *problem_of(int error)
{
    const char *refusal = lh_output_refusal_text(error);
    if (error == -EAGAIN)
        return "its reader is too slow";
    return refusal != NULL ? refusal : strerror(-error);
}

static void say_once(struct lh_output *output, int error)
{
    char name[32];
    if (output->said || output->target.kind == LH_OUTPUT_STDERR)
        return;
    /* A file of this program's own, whose directory was removed since: its reader has gone. */
    if (error == -ENOENT && output->target.own_name && output->file_number > 0)
        return;
    output->said = true;
    lh_output_say("cannot write to %s: %s; reports are lost, and counted as dropped",
                  target_name(&output->target, name, sizeof(name)), problem_of(error));
}

static int write_or_lose(struct lh_output *output, const char *bytes, size_t length,
                         const struct lh_output_news *news)
{
    int error = write_line(output, bytes, length, news);
    if (error == -ESTALE)
        return error;
    output->stuck = error == -EAGAIN;
    if (reader_is_gone(error) && output->file.owned)
        close_file(output);
    if (error != 0)
        say_once(output, error);
    return error;
}

static void say_limit(struct lh_output *output)
{
    char name[32];
    bool error_output = output->target.kind == LH_OUTPUT_STDERR;
    if (output->said_limit)
        return;
    output->said_limit = true;
    lh_output_say("more than %" PRIu64 " bytes a second for %s (LOOPHOUND_OUTPUT_LIMIT): what is "
                  "over it is left out, and counted as dropped",
                  output->target.limit,
                  error_output ? "standard error"
                               : target_name(&output->target, name, sizeof(name)));
}

static int write_whatever_the_limit(struct lh_output *output, const char *bytes, size_t length,
                                    const struct lh_output_news *news)
{
    int error = write_or_lose(output, bytes, length, news);
    if (error == 0)
        lh_bucket_take_anyway(&output->limit, output->target.limit, length, lh_monotonic_ns());
    return error;
}

/* Of the limit only what was written is taken. */
static int write_within_limit(struct lh_output *output, struct lh_bucket *share, const char *bytes,
                              size_t length, const struct lh_output_news *news)
{
    if (share == NULL)
        return write_whatever_the_limit(output, bytes, length, news);
    struct lh_bucket all = output->limit;
    struct lh_bucket own = *share;
    if (!lh_bucket_take_share(&all, &own, atomic_load(&output->users), output->target.limit, length,
                              lh_monotonic_ns())) {
        say_limit(output);
        return -EOVERFLOW;
    }
    int error = write_or_lose(output, bytes, length, news);
    if (error != 0)
        return error;
    output->limit = all;
    *share = own;
    return 0;
}

int lh_output_write_report(struct lh_output *output, struct lh_bucket *share, const char *bytes,
                           size_t length, const struct lh_output_news *news)
{
    pthread_mutex_lock(&output->lock);
    int error = write_within_limit(output, share, bytes, length, news);
    if (error == 0 && news != NULL)
        lh_id_set_add_all(&output->known, &news->ids);
    pthread_mutex_unlock(&output->lock);
    return error;
}

int lh_output_write(struct lh_output *output, const char *bytes, size_t length)
{
    pthread_mutex_lock(&output->lock);
    int error = write_whatever_the_limit(output, bytes, length, NULL);
    pthread_mutex_unlock(&output->lock);
    return error;
}

bool lh_output_is_file(struct lh_output *output)
{
    struct stat status;
    pthread_mutex_lock(&output->lock);
    bool file =
        ensure_open(output) == 0 && fstat(output->file.fd, &status) == 0 && S_ISREG(status.st_mode);
    pthread_mutex_unlock(&output->lock);
    return file;
}

uint64_t lh_output_file_number(struct lh_output *output)
{
    pthread_mutex_lock(&output->lock);
    uint64_t number = output->file_number;
    pthread_mutex_unlock(&output->lock);
    return number;
}

bool lh_output_knows(struct lh_output *output, const struct lh_output_news *news, uint64_t id,
                     struct lh_known *known)
{
    pthread_mutex_lock(&output->lock);
    const struct lh_known *found = lh_id_set_find(&output->known, id);
    bool same_file = output->file_number == news->file_number;
    if (found != NULL)
        *known = *found;
    pthread_mutex_unlock(&output->lock);
    return found != NULL && same_file;
}

void lh_output_prepare(struct lh_output *output)
{
    pthread_mutex_lock(&output->lock);
    (void)ensure_open(output); /* a failure is said, and met again, at the first write */
    pthread_mutex_unlock(&output->lock);
}

bool lh_output_is_terminal(struct lh_output *output)
{
    pthread_mutex_lock(&output->lock);
    bool terminal = ensure_open(output) == 0 && isatty(output->file.fd) == 1;
    pthread_mutex_unlock(&output->lock);
    return terminal;
}

/* Of the environment: for terminals that do not know how wide they are. */
static size_t columns_told(void)
{
    const char *value = getenv("COLUMNS");
    unsigned long columns = value != NULL ? strtoul(value, NULL, 10) : 0;
    return columns > 0 && columns <= UINT16_MAX ? columns : USUAL_COLUMNS;
}

size_t lh_output_columns(struct lh_output *output)
{
    struct winsize size = {0};
    if (!lh_output_is_terminal(output))
        return 0;
    pthread_mutex_lock(&output->lock);
    int error = output->is_open ? ioctl(output->file.fd, TIOCGWINSZ, &size) : -1;
    pthread_mutex_unlock(&output->lock);
    return error == 0 && size.ws_col > 0 ? size.ws_col : columns_told();
}

struct lh_outputs *lh_outputs_new(void)
{
    struct lh_outputs *outputs = calloc(1, sizeof(*outputs));
    if (outputs != NULL)
        pthread_mutex_init(&outputs->lock, NULL);
    return outputs;
}

void lh_outputs_free(struct lh_outputs *outputs)
{
    if (outputs == NULL)
        return;
    pthread_mutex_destroy(&outputs->lock);
    free(outputs);
}

static bool is_same_target(const struct lh_output_target *a, const struct lh_output_target *b)
{
    return a->kind == b->kind && a->fd == b->fd && a->ours == b->ours &&
           strcmp(a->path, b->path) == 0;
}

static struct lh_output *output_new(const struct lh_output_target *target)
{
    struct lh_output *output = calloc(1, sizeof(*output));
    if (output == NULL)
        return NULL;
    output->target = *target;
    pthread_mutex_init(&output->lock, NULL);
    return output;
}

struct lh_output *lh_output_get(struct lh_outputs *outputs, const struct lh_output_target *target)
{
    pthread_mutex_lock(&outputs->lock);
    struct lh_output *output = outputs->first;
    while (output != NULL && !is_same_target(&output->target, target))
        output = output->next;
    if (output == NULL) {
        output = output_new(target);
        if (output != NULL) {
            output->next = outputs->first;
            outputs->first = output;
        }
    }
    if (output != NULL)
        output->users++;
    pthread_mutex_unlock(&outputs->lock);
    return output;
}

static void output_free(struct lh_output *output)
{
    if (output->is_open)
        (void)write_rest(output, lh_monotonic_ns() + WRITE_WAIT_NS);
    close_file(output);
    pthread_mutex_destroy(&output->lock);
    free(output);
}

void lh_output_put(struct lh_outputs *outputs, struct lh_output *output)
{
    if (output == NULL)
        return;
    pthread_mutex_lock(&outputs->lock);
    bool last = --output->users == 0;
    struct lh_output **link = &outputs->first;
    while (last && *link != output)
        link = &(*link)->next;
    if (last)
        *link = output->next;
    pthread_mutex_unlock(&outputs->lock);
    if (last)
        output_free(output);
}

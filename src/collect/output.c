/* Writing reports. Runs in the collector, on the threads of its rings.
 *
 * A reader that is too slow costs each writer WRITE_WAIT_NS once; from then on nothing waits until
 * a write has gone through again. A line that was begun is completed before the next one is. */
#include "collect/output.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "collect/output_open.h"

#define WRITE_WAIT_NS 100000000LL
#define OPEN_RETRY_NS 1000000000LL
#define NS_PER_S      1000000000LL
#define NS_PER_MS     1000000LL

struct lh_output {
    struct lh_output *next;
    struct lh_output_place place;
    unsigned users; /* under outputs->lock */

    pthread_mutex_t lock; /* of all below */
    struct lh_output_file file;
    bool is_open;
    bool stuck;       /* the last write was not taken */
    bool said;        /* the user knows of a loss */
    int open_error;   /* of the last try */
    int64_t retry_ns; /* CLOCK_MONOTONIC: no try to open before */
    char *rest;       /* of a line that was begun */
    size_t rest_length;
};

struct lh_outputs {
    pthread_mutex_t lock;
    struct lh_output *first;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* write(2), where a closed pipe is an error number and no signal. */
static ssize_t write_quietly(int fd, const char *bytes, size_t length)
{
    static const struct timespec at_once;
    sigset_t pipe_only;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    ssize_t written = write(fd, bytes, length);
    int error = errno;
    if (written < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0)
        (void)sigtimedwait(&pipe_only, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return written;
}

void lh_output_say(const char *format, ...)
{
    char line[1024] = "loophound: ";
    size_t start = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line + start, sizeof(line) - start - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    size_t end = strlen(line);
    line[end] = '\n';
    (void)write_quietly(STDERR_FILENO, line, end + 1);
}

static bool wait_writable(int fd, int64_t deadline_ns)
{
    struct pollfd item = {.fd = fd, .events = POLLOUT};
    int64_t left_ns = deadline_ns - now_ns();
    int left_ms = left_ns > 0 ? (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS) : 0;
    return poll(&item, 1, left_ms) > 0;
}

static ssize_t write_some(const struct lh_output_file *file, const char *bytes, size_t length)
{
    if (file->way == LH_WAY_SOCKET)
        return send(file->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (file->way == LH_WAY_PLAIN)
        return write_quietly(file->fd, bytes, length);
    if (!wait_writable(file->fd, 0)) {
        errno = EAGAIN;
        return -1;
    }
    return write_quietly(file->fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
}

/* Adds what was written to *done, also when it fails. */
static int write_all(const struct lh_output_file *file, const char *bytes, size_t length,
                     int64_t deadline_ns, size_t *done)
{
    *done = 0;
    while (*done < length) {
        ssize_t written = write_some(file, bytes + *done, length - *done);
        if (written >= 0) {
            *done += (size_t)written;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return -errno;
        if (now_ns() >= deadline_ns || !wait_writable(file->fd, deadline_ns))
            return -EAGAIN;
    }
    return 0;
}

static void forget_rest(struct lh_output *output)
{
    free(output->rest);
    output->rest = NULL;
    output->rest_length = 0;
}

static void close_file(struct lh_output *output)
{
    if (output->is_open && output->file.owned)
        close(output->file.fd);
    output->is_open = false;
    forget_rest(output);
}

static int ensure_open(struct lh_output *output)
{
    if (output->is_open)
        return 0;
    int64_t now = now_ns();
    if (output->open_error != 0 && now < output->retry_ns)
        return output->open_error;
    output->open_error = lh_output_open(&output->file, &output->place);
    output->retry_ns = now + OPEN_RETRY_NS;
    output->is_open = output->open_error == 0;
    return output->open_error;
}

static int write_rest(struct lh_output *output, int64_t deadline_ns)
{
    size_t done;
    if (output->rest_length == 0)
        return 0;
    int error = write_all(&output->file, output->rest, output->rest_length, deadline_ns, &done);
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
    if (output->place.kind != LH_OUTPUT_PATH || fstat(output->file.fd, &ours) != 0)
        return;
    if (stat(output->place.path, &named) == 0 && named.st_ino == ours.st_ino &&
        named.st_dev == ours.st_dev)
        return;
    int error = lh_output_open(&fresh, &output->place);
    if (error != 0 && ours.st_nlink > 0)
        return;
    close_file(output);
    output->open_error = error;
    output->retry_ns = now_ns() + OPEN_RETRY_NS;
    output->is_open = error == 0;
    if (error == 0)
        output->file = fresh;
}

/* Without memory for the rest, the line stays torn: nothing better can be done then. */
static void keep_rest(struct lh_output *output, const char *bytes, size_t length)
{
    output->rest = malloc(length);
    if (output->rest == NULL)
        return;
    memcpy(output->rest, bytes, length);
    output->rest_length = length;
}

static int write_line(struct lh_output *output, const char *bytes, size_t length)
{
    int64_t deadline_ns = output->stuck ? 0 : now_ns() + WRITE_WAIT_NS;
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
    error = write_all(&output->file, bytes, length, deadline_ns, &done);
    if (error != 0 && done > 0)
        keep_rest(output, bytes + done, length - done);
    return error;
}

static bool reader_is_gone(int error)
{
    return error == -EPIPE || error == -ECONNRESET || error == -ENOTCONN;
}

static const char *place_name(const struct lh_output_place *place, char *name, size_t size)
{
    if (place->kind != LH_OUTPUT_FD)
        return place->path;
    (void)snprintf(name, size, "descriptor %d", place->fd);
    return name;
}

static void say_once(struct lh_output *output, int error)
{
    char name[32];
    if (output->said || output->place.kind == LH_OUTPUT_STDERR)
        return;
    output->said = true;
    lh_output_say("cannot write to %s: %s; reports are lost, and counted as dropped",
                  place_name(&output->place, name, sizeof(name)),
                  error == -EAGAIN ? "its reader is too slow" : strerror(-error));
}

int lh_output_write(struct lh_output *output, const char *bytes, size_t length)
{
    pthread_mutex_lock(&output->lock);
    int error = write_line(output, bytes, length);
    output->stuck = error == -EAGAIN;
    if (reader_is_gone(error) && output->file.owned)
        close_file(output);
    if (error != 0)
        say_once(output, error);
    pthread_mutex_unlock(&output->lock);
    return error;
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

static bool is_same_place(const struct lh_output_place *a, const struct lh_output_place *b)
{
    return a->kind == b->kind && a->fd == b->fd && strcmp(a->path, b->path) == 0;
}

static struct lh_output *output_new(const struct lh_output_place *place)
{
    struct lh_output *output = calloc(1, sizeof(*output));
    if (output == NULL)
        return NULL;
    output->place = *place;
    pthread_mutex_init(&output->lock, NULL);
    return output;
}

struct lh_output *lh_output_get(struct lh_outputs *outputs, const struct lh_output_place *place)
{
    pthread_mutex_lock(&outputs->lock);
    struct lh_output *output = outputs->first;
    while (output != NULL && !is_same_place(&output->place, place))
        output = output->next;
    if (output == NULL) {
        output = output_new(place);
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
        (void)write_rest(output, now_ns() + WRITE_WAIT_NS);
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

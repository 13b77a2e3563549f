/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of outputs: a target for files, and what is said on standard error. */
#ifndef LH_TESTS_OUTPUT_TO_TEST_H
#define LH_TESTS_OUTPUT_TO_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect/sink/output.h"
#include "common/protocol.h"
#include "common/text.h"
#include "new_ring.h"

#define LINE "{\"v\":1}\n"

struct fixture {
    char directory[64];
    struct lh_ring *header;
    struct lh_outputs *outputs;
    struct lh_output *output;
    int stderr_pipe[2];
    int saved_stderr;
};

static inline int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->header = new_ring();
    fixture->outputs = lh_outputs_new();
    fixture->header->pid = 4242;
    (void)lh_text_copy(fixture->header->exe, sizeof(fixture->header->exe), "/usr/bin/python3.11");
    (void)lh_text_copy(fixture->directory, sizeof(fixture->directory), "/tmp/lh-output-XXXXXX");
    *state = fixture;
    return mkdtemp(fixture->directory) != NULL ? 0 : -1;
}

static inline int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    if (fixture->output != NULL)
        lh_output_put(fixture->outputs, fixture->output);
    lh_outputs_free(fixture->outputs);
    (void)snprintf(command, sizeof(command), "rm -r %s", fixture->directory);
    int result = system(command);
    free(fixture->header);
    free(fixture);
    return result;
}

static inline void wish(struct fixture *fixture, enum lh_output_kind kind, const char *name)
{
    fixture->header->options.output_kind = (uint8_t)kind;
    (void)lh_text_copy(fixture->header->options.output, sizeof(fixture->header->options.output),
                       name);
}

/* Opens the output in the fixture's directory. */
static inline struct lh_output *open_in_directory(struct fixture *fixture, enum lh_output_kind kind,
                                                  const char *name)
{
    struct lh_output_target target;
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
    wish(fixture, kind, path);
    assert_int_equal(lh_output_target(&target, fixture->header, false), 0);
    return lh_output_get(fixture->outputs, &target);
}

static inline struct lh_output *open_fd(struct fixture *fixture, int fd)
{
    struct lh_output_target target;
    wish(fixture, LH_OUTPUT_FD, "");
    fixture->header->options.output_fd = fd;
    assert_int_equal(lh_output_target(&target, fixture->header, false), 0);
    return lh_output_get(fixture->outputs, &target);
}

static inline void assert_content(const char *path, const char *expected)
{
    char content[4096] = "";
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_true(read(fd, content, sizeof(content) - 1) >= 0);
    close(fd);
    assert_string_equal(content, expected);
}

static inline void capture_stderr(struct fixture *fixture)
{
    assert_int_equal(pipe2(fixture->stderr_pipe, O_NONBLOCK), 0);
    fixture->saved_stderr = dup(STDERR_FILENO);
    dup2(fixture->stderr_pipe[1], STDERR_FILENO);
}

static inline void release_stderr(struct fixture *fixture, char *said, size_t size)
{
    dup2(fixture->saved_stderr, STDERR_FILENO);
    ssize_t length = read(fixture->stderr_pipe[0], said, size - 1);
    said[length > 0 ? length : 0] = '\0';
    close(fixture->saved_stderr);
    close(fixture->stderr_pipe[0]);
    close(fixture->stderr_pipe[1]);
}

static inline int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif

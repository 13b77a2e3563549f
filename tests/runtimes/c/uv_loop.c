/* SPDX-License-Identifier: Apache-2.0 */
/* A server on libuv, with its streams and its thread pool. PARK: epoll. */
/* link: -luv */
#include <uv.h>

#include "server.h"

static void in_pool(uv_work_t *work)
{
    struct job *job = work->data;
    job->wait();
}

static void after_pool(uv_work_t *work, int status)
{
    struct job *job = work->data;
    CHECK(status == 0);
    answer(job->fd, "done\n");
    free(job);
    free(work);
}

static void offload_to_pool(struct job *job)
{
    uv_work_t *work = malloc(sizeof(*work));
    CHECK(work != NULL);
    work->data = job;
    CHECK(uv_queue_work(uv_default_loop(), work, in_pool, after_pool) == 0);
}

static void on_allocate(uv_handle_t *stream, size_t suggested, uv_buf_t *buffer)
{
    static char text[256];
    (void)stream, (void)suggested;
    *buffer = uv_buf_init(text, sizeof(text) - 1);
}

static void on_closed(uv_handle_t *stream)
{
    free(stream);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    uv_os_fd_t fd;
    CHECK(uv_fileno((uv_handle_t *)stream, &fd) == 0);
    if (length > 0)
        handle_text(fd, buffer->base, (size_t)length, offload_to_pool);
    else if (length < 0)
        uv_close((uv_handle_t *)stream, on_closed);
    if (stopped)
        uv_stop(stream->loop);
}

static void on_client(uv_stream_t *listener, int status)
{
    uv_tcp_t *stream = malloc(sizeof(*stream));
    CHECK(status == 0 && stream != NULL);
    CHECK(uv_tcp_init(listener->loop, stream) == 0);
    CHECK(uv_accept(listener, (uv_stream_t *)stream) == 0);
    CHECK(uv_read_start((uv_stream_t *)stream, on_allocate, on_read) == 0);
}

int main(int argc, char **argv)
{
    uv_tcp_t listener;
    uv_loop_t *loop = uv_default_loop();
    CHECK(uv_tcp_init(loop, &listener) == 0);
    CHECK(uv_tcp_open(&listener, start_server(argc, argv)) == 0);
    CHECK(uv_listen((uv_stream_t *)&listener, 64, on_client) == 0);
    uv_run(loop, UV_RUN_DEFAULT);
    tidy_up();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A server on libuv, with its streams: each line is answered by `pong`. `uv_server PORT`. */
/* link: -luv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static char answer[] = "pong\n";

static void check(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "uv_server: %s: %s\n", what, uv_strerror(error));
    exit(1);
}

/* One for all: libuv reads, and has it used at once. */
static void give_memory(uv_handle_t *stream, size_t size, uv_buf_t *memory)
{
    static char bytes[65536];
    (void)stream;
    (void)size;
    *memory = uv_buf_init(bytes, sizeof(bytes));
}

static void end(uv_handle_t *stream)
{
    free(stream);
}

static void has_written(uv_write_t *request, int error)
{
    (void)error; /* a client that is gone */
    free(request);
}

static void has_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *memory)
{
    for (ssize_t i = 0; i < length; i++) {
        uv_buf_t text = uv_buf_init(answer, sizeof(answer) - 1);
        if (memory->base[i] == '\n')
            uv_write(malloc(sizeof(uv_write_t)), stream, &text, 1, has_written);
    }
    if (length < 0)
        uv_close((uv_handle_t *)stream, end);
}

static void has_come(uv_stream_t *listener, int error)
{
    uv_tcp_t *client = malloc(sizeof(*client));
    check(error, "a connection");
    uv_tcp_init(listener->loop, client);
    check(uv_accept(listener, (uv_stream_t *)client), "accept");
    uv_tcp_nodelay(client, 1);
    check(uv_read_start((uv_stream_t *)client, give_memory, has_read), "read");
}

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    uv_tcp_t listener;
    if (argc != 2)
        return 2;
    uv_tcp_init(uv_default_loop(), &listener);
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &address);
    check(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0), "bind");
    check(uv_listen((uv_stream_t *)&listener, 64, has_come), "listen");
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

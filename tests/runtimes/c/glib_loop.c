/* SPDX-License-Identifier: Apache-2.0 */
/* A server on GLib's main loop. PARK: poll.
 *
 * The few functions are declared here: linking needs GLib's library only, not its headers. */
/* link: -l:libglib-2.0.so.0 */
#include "server.h"

enum { G_IO_IN = 1 };
typedef int fd_function(int fd, int condition, void *data);
extern void *g_main_loop_new(void *context, int is_running);
extern void g_main_loop_run(void *loop);
extern void g_main_loop_quit(void *loop);
extern unsigned g_unix_fd_add(int fd, int condition, fd_function *function, void *data);

static int on_readable(int fd, int condition, void *loop)
{
    (void)condition;
    bool goes_on = handle_readable(fd);
    if (stopped)
        g_main_loop_quit(loop);
    return goes_on;
}

static int on_client(int listener, int condition, void *loop)
{
    (void)condition;
    g_unix_fd_add(accept_one(listener), G_IO_IN, on_readable, loop);
    return true;
}

int main(int argc, char **argv)
{
    int listener = start_server(argc, argv);
    void *loop = g_main_loop_new(NULL, false);
    g_unix_fd_add(listener, G_IO_IN, on_client, loop);
    g_main_loop_run(loop);
    tidy_up();
    return 0;
}

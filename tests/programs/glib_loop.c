/* SPDX-License-Identifier: Apache-2.0 */
/* A GLib main loop, which parks in poll, and a timer of it that blocks, or does not.
 *
 *   glib_loop sleep|nothing
 *   glib_loop first            blocks in the first handler of all, and starts a program there
 *   glib_loop none             starts a program, without a loop
 *   glib_loop nested           runs the loop once more in its handler, for 40 ms
 *
 * The few functions are declared here: linking needs GLib's library only, not its headers. */
/* link: -l:libglib-2.0.so.0 */
#include <string.h>
#include <time.h>

typedef int (*source_func)(void *data);
extern void *g_main_loop_new(void *context, int is_running);
extern void g_main_loop_run(void *loop);
extern void g_main_loop_quit(void *loop);
extern unsigned g_timeout_add(unsigned ms, source_func function, void *data);
extern unsigned g_idle_add(source_func function, void *data);

extern int g_spawn_command_line_sync(const char *line, char **out, char **err, int *status,
                                     void **error);

static volatile int not_the_last_call;
static int makes_mistake, nests, first;
static int ticks;

static void sleep_in_handler(void)
{
    const struct timespec time = {0, 200 * 1000000L};
    nanosleep(&time, NULL);
    not_the_last_call = 1;
}

static void start_a_program(void)
{
    char *out = NULL;
    g_spawn_command_line_sync("sleep 0.2", &out, NULL, NULL, NULL);
    not_the_last_call = out != NULL;
}

static int on_idle(void *loop)
{
    (void)loop;
    return 0; /* once */
}

static int on_end_of_nested(void *loop)
{
    g_main_loop_quit(loop);
    return 0;
}

static void run_nested(void)
{
    void *loop = g_main_loop_new(NULL, 0);
    g_timeout_add(40, on_end_of_nested, loop);
    g_main_loop_run(loop);
}

static int on_tick(void *loop)
{
    if (ticks == 0 && first) {
        sleep_in_handler();
        start_a_program();
    }
    if (++ticks == 3)
        g_idle_add(on_idle, NULL);
    if (ticks == 6 && makes_mistake)
        sleep_in_handler();
    if (ticks == 6 && nests)
        run_nested();
    if (ticks == 8)
        g_main_loop_quit(loop);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    makes_mistake = strcmp(argv[1], "sleep") == 0;
    first = strcmp(argv[1], "first") == 0;
    nests = strcmp(argv[1], "nested") == 0;
    if (strcmp(argv[1], "none") == 0) {
        start_a_program();
        return 0;
    }
    void *loop = g_main_loop_new(NULL, 0);
    g_timeout_add(5, on_tick, loop);
    g_main_loop_run(loop);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that has calls made where few are made: guest WAY PLUGIN. The plugin's constructor and
 * destructor sleep for BLOCK_MS (guest_plugin.cc).
 *
 *   open    loads and unloads it on the loop, twice, while another loop thread is reported on
 *   deep    the same with RTLD_DEEPBIND, once: its own names first
 *   exit    an atexit(3) function, the library's destructor and one of the program's own call at
 * the very end, after the library that watches has ended hidden  prctl(PR_SET_DUMPABLE, 0): nobody
 * may look into it */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "small_loop.h"

#define BLOCK_MS 80

static const char *plugin;
static _Atomic bool over;
static bool calls_at_end;

static void *be_reported(void *unused)
{
    int set = begin_loop();
    while (!over) {
        sleep_ms(55);
        turn(set);
    }
    close(set);
    return unused;
}

static void load_and_unload(int flags)
{
    void *library = dlopen(plugin, RTLD_NOW | flags);
    if (library == NULL)
        (void)fprintf(stderr, "%s\n", dlerror());
    check(library != NULL && dlclose(library) == 0);
}

static void open_twice(void)
{
    pthread_t thread;
    int set = begin_loop();
    check(pthread_create(&thread, NULL, be_reported, NULL) == 0);
    for (int i = 0; i < 2; i++) {
        load_and_unload(0);
        turn(set);
    }
    over = true;
    check(pthread_join(thread, NULL) == 0);
}

static void open_deep(void)
{
    int set = begin_loop();
    load_and_unload(RTLD_DEEPBIND);
    turn(set);
    sleep_ms(BLOCK_MS);
    turn(set);
}

static void call_at_exit(void)
{
    sleep_ms(BLOCK_MS);
    (void)!write(STDOUT_FILENO, "at exit\n", 8);
}

static void be_exited(void)
{
    int set = begin_loop();
    check(atexit(call_at_exit) == 0);
    check(dlopen(plugin, RTLD_NOW) != NULL);
    turn(set);
    sleep_ms(BLOCK_MS);
    turn(set);
    calls_at_end = true;
}

__attribute__((destructor)) static void program_ends(void)
{
    struct epoll_event event;
    if (!calls_at_end)
        return;
    int set = epoll_create1(EPOLL_CLOEXEC);
    check(epoll_wait(set, &event, 1, 1) == 0);
    sleep_ms(BLOCK_MS);
    close(set);
    (void)!write(STDOUT_FILENO, "program ends\n", 13);
}

static void hide(void)
{
    check(prctl(PR_SET_DUMPABLE, 0) == 0);
    int set = begin_loop();
    for (int i = 0; i < 2; i++) {
        turn(set);
        sleep_ms(BLOCK_MS);
    }
    turn(set);
    check(prctl(PR_GET_DUMPABLE) == 0);
}

static const struct way ways[] = {
    {"open", open_twice},
    {"deep", open_deep},
    {"exit", be_exited},
    {"hidden", hide},
};

int main(int argc, char **argv)
{
    plugin = argc > 2 ? argv[2] : NULL;
    return take_way(ways, ROWS(ways), argc > 1 ? argv[1] : NULL);
}

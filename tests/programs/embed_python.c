/* SPDX-License-Identifier: Apache-2.0 */
/* A program with an interpreter inside, whose loop is its own: Python code blocks in a handler of
 * it.
 *
 *   embed_python local|global /path/libpython3.so first|later|visits|hang
 *
 * `local`: opened as plugins are, its symbols seen by nobody else. `first`: the interpreter is
 * there before the loop; `later`: it is initialised by a handler. `visits`: a thread that Python
 * did not make goes there twice. `hang`: handlers go there, until a thread of Python's keeps its
 * lock for ever, as soon as there is a byte on standard input. */
/* link: -ldl */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

static const char script[] = "import time\n"
                             "class Plugin:\n"
                             "    def handle(self):\n"
                             "        time.sleep(0.15)\n"
                             "Plugin().handle()\n";

static const char hang_script[] = "import ctypes, os, threading\n"
                                  "def keep_it():\n"
                                  "    libc = ctypes.PyDLL(None)\n"
                                  "    os.read(0, 1)\n"
                                  "    libc.pause()\n"
                                  "threading.Thread(target=keep_it, name='scorer').start()\n";

static void (*initialize)(int signals);
static int (*run)(const char *source);
static int (*ensure)(void);
static void (*release)(int state);
static void *(*save_thread)(void);

static void park(int timeout_ms)
{
    static int set = -1;
    struct epoll_event event;
    if (set < 0)
        set = epoll_create1(EPOLL_CLOEXEC);
    epoll_wait(set, &event, 1, timeout_ms);
}

static void park_once(void)
{
    park(0);
}

/* So that what was freed is not handed out again. */
static void use_up_memory(void)
{
    for (size_t size = 16; size < 4096; size += 16)
        for (int i = 0; i < 16; i++) {
            volatile char *taken = malloc(size);
            taken[0] = 1;
        }
}

static void *visit_twice(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2; i++) {
        park_once();
        int state = ensure();
        int failed = run(script);
        release(state);
        if (failed)
            exit(6);
        use_up_memory();
    }
    return NULL;
}

static int run_visits(void)
{
    pthread_t thread;
    initialize(0);
    save_thread();
    if (pthread_create(&thread, NULL, visit_twice, NULL) != 0)
        return 7;
    pthread_join(thread, NULL);
    return 0;
}

static int run_until_it_hangs(void)
{
    initialize(0);
    if (run(hang_script) != 0)
        return 8;
    save_thread();
    for (;;) {
        park(5);
        release(ensure());
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    int scope = strcmp(argv[1], "local") == 0 ? RTLD_LOCAL : RTLD_GLOBAL;
    void *python = dlopen(argv[2], RTLD_NOW | scope);
    if (python == NULL)
        return 3;
    initialize = (void (*)(int))dlsym(python, "Py_InitializeEx");
    run = (int (*)(const char *))dlsym(python, "PyRun_SimpleString");
    ensure = (int (*)(void))dlsym(python, "PyGILState_Ensure");
    release = (void (*)(int))dlsym(python, "PyGILState_Release");
    save_thread = (void *(*)(void))dlsym(python, "PyEval_SaveThread");
    if (!initialize || !run || !ensure || !release || !save_thread)
        return 4;
    if (strcmp(argv[3], "visits") == 0)
        return run_visits();
    if (strcmp(argv[3], "hang") == 0)
        return run_until_it_hangs();
    if (strcmp(argv[3], "first") == 0)
        initialize(0);
    park_once();
    if (strcmp(argv[3], "first") != 0)
        initialize(0);
    if (run(script) != 0)
        return 5;
    park_once();
    return 0;
}

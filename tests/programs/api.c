/* SPDX-License-Identifier: Apache-2.0 */
/* A program that uses loophound.h and does not link with the library: its loop waits in poll().
 *
 *   api scopes   what is reported is named by the function it is made in
 *   api flush    blocks, flushes, prints what that returned, and _exits
 *   api waits    waits for its reports, while the collector is stopped as well
 *   api marks    blocks in tests and outside of them, and in a child
 *   api labels   sets labels, more than there can be, and blocks
 *   api count    prints how many reports there are after each of a few blocks
 *   api absent   prints what every function returns
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loophound.h"

#define LONG_BYTES 200

static volatile int not_the_last_call;

static void wait_200_ms(void)
{
    const struct timespec time = {0, 200 * 1000000L};
    nanosleep(&time, NULL);
}

#define SLEEPER(name)                                                                              \
    static void name(void)                                                                         \
    {                                                                                              \
        wait_200_ms();                                                                             \
        not_the_last_call = __COUNTER__; /* differs */                                             \
    }

SLEEPER(before_enter)
SLEEPER(after_enter)
SLEEPER(in_scope)
SLEEPER(in_inner_scope)
SLEEPER(in_outer_scope)
SLEEPER(after_scopes)
SLEEPER(after_leave)

static int scopes(void)
{
    int results[9];
    before_enter();
    results[0] = loophound_loop_enter();
    results[1] = loophound_loop_enter();
    after_enter();
    results[2] = loophound_allow_begin();
    in_scope();
    results[3] = loophound_allow_begin();
    in_inner_scope();
    results[4] = loophound_allow_end();
    in_outer_scope();
    results[5] = loophound_allow_end();
    after_scopes();
    results[6] = loophound_allow_end(); /* one too many */
    results[7] = loophound_loop_leave();
    after_leave();
    results[8] = loophound_loop_leave();
    for (int i = 0; i < 9; i++)
        printf("%d ", results[i]);
    puts("");
    return 0;
}

static int flush(void)
{
    int before = loophound_flush();
    loophound_loop_enter();
    after_enter();
    int after = loophound_flush();
    printf("%d %d\n", before, after);
    fflush(stdout);
    _exit(0);
}

static void ask(const char *what)
{
    puts(what);
    fflush(stdout);
    getchar();
}

static int waits(void)
{
    int results[7];
    results[0] = loophound_flush_wait(0);
    loophound_loop_enter();
    after_enter();
    results[1] = loophound_flush_wait(60000);
    results[2] = loophound_flush_wait(0);
    ask("stop the collector");
    after_enter();
    results[3] = loophound_flush_wait(-1);
    results[4] = loophound_flush_wait(0);
    results[5] = loophound_flush_wait(300);
    ask("let it go on");
    results[6] = loophound_flush_wait(60000);
    for (int i = 0; i < 7; i++)
        printf("%d ", results[i]);
    puts("");
    return 0;
}

static int marks(void)
{
    char name[512];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    loophound_mark("test_early");
    loophound_loop_enter();
    before_enter();
    loophound_mark("test_first");
    after_enter();
    loophound_mark(name);
    in_scope();
    loophound_mark(NULL);
    after_scopes();
    loophound_mark("test_of_child");
    pid_t child = fork();
    if (child == 0) {
        loophound_loop_enter();
        after_leave();
        return 0;
    }
    return waitpid(child, NULL, 0) == child ? 0 : 1;
}

static void *other_thread(void *unused)
{
    (void)unused;
    loophound_loop_enter();
    in_outer_scope();
    loophound_label("only", "of this thread");
    in_inner_scope();
    return NULL;
}

static int labels(void)
{
    char long_text[LONG_BYTES];
    pthread_t thread;
    memset(long_text, 'y', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    printf("%d ", loophound_label("route", "/price"));
    loophound_loop_enter();
    before_enter();
    printf("%d ", loophound_label("route", "/pay"));
    printf("%d ", loophound_label("tenant", "\"7\""));
    after_enter();
    printf("%d ", loophound_label("route", NULL));
    printf("%d ", loophound_label("missing", NULL));
    in_scope();
    for (char key[] = "a"; key[0] <= 'g'; key[0]++)
        printf("%d ", loophound_label(key, "x"));
    printf("%d %d %d %d ", loophound_label("h", "x"), loophound_label("a", long_text),
           loophound_label(long_text, "x"), loophound_label("", "x"));
    printf("%d\n", loophound_label("a", long_text + LONG_BYTES - 1 - 128));
    after_scopes();
    if (pthread_create(&thread, NULL, other_thread, NULL) != 0)
        return 1;
    return pthread_join(thread, NULL);
}

static int count(void)
{
    unsigned long long counts[5];
    before_enter();
    counts[0] = loophound_count();
    loophound_loop_enter();
    after_enter();
    counts[1] = loophound_count();
    loophound_allow_begin();
    in_scope();
    loophound_allow_end();
    counts[2] = loophound_count();
    after_scopes();
    after_scopes();
    loophound_loop_leave();
    loophound_loop_enter();
    counts[3] = loophound_count();
    counts[4] = loophound_reports();
    printf("%llu %llu %llu %llu %llu\n", counts[0], counts[1], counts[2], counts[3], counts[4]);
    return 0;
}

static int absent(void)
{
    const char *version = loophound_version();
    printf("%d %d %d %d %d %d %d %d %d %d %d %d %d %s\n", loophound_loop_enter(),
           loophound_loop_leave(), loophound_allow_begin(), loophound_allow_end(),
           loophound_flush(), loophound_mark("x"), loophound_label("x", "y"),
           (int)loophound_count(), loophound_flush_wait(1), (int)loophound_reports(),
           (int)loophound_dropped(), loophound_labels(NULL), loophound_noise("tests"),
           version ? version : "none");
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc == 2 ? argv[1] : "";
    if (strcmp(what, "scopes") == 0)
        return scopes();
    if (strcmp(what, "flush") == 0)
        return flush();
    if (strcmp(what, "waits") == 0)
        return waits();
    if (strcmp(what, "marks") == 0)
        return marks();
    if (strcmp(what, "labels") == 0)
        return labels();
    if (strcmp(what, "count") == 0)
        return count();
    return strcmp(what, "absent") == 0 ? absent() : 2;
}

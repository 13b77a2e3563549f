/* SPDX-License-Identifier: Apache-2.0 */
/* A program that uses loophound.h and does not link with the library: its loop waits in poll().
 *
 *   api scopes   what is reported is named by the function it is made in
 *   api flush    blocks, flushes, prints what that returned, and _exits
 *   api absent   prints what every function returns
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loophound.h"

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

static int absent(void)
{
    const char *version = loophound_version();
    printf("%d %d %d %d %d %s\n", loophound_loop_enter(), loophound_loop_leave(),
           loophound_allow_begin(), loophound_allow_end(), loophound_flush(),
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
    return strcmp(what, "absent") == 0 ? absent() : 2;
}

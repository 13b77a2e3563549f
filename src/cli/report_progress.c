/* SPDX-License-Identifier: Apache-2.0 */
/* How far the reading of a file is. See report_progress.h. */
#include "cli/report_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/text.h"
#include "common/units.h"

#define LINES_BETWEEN 256u
#define QUIET_NS      LH_NS_PER_S
#define BETWEEN_NS    (LH_NS_PER_S / 4)
#define NAME_SHOWN    40 /* its line is not to be broken by the terminal */

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * LH_NS_PER_S + now.tv_nsec;
}

void lh_progress_begin(struct lh_progress *progress, const char *name)
{
    const char *base = lh_base_name(name);
    *progress = (struct lh_progress){.name = base[0] != '\0' ? base : name,
                                     .next_ns = now_ns() + QUIET_NS,
                                     .wanted = isatty(STDERR_FILENO) == 1};
}

bool lh_progress_is_due(const struct lh_progress *progress, uint64_t lines)
{
    return progress->wanted && lines % LINES_BETWEEN == 0 && now_ns() >= progress->next_ns;
}

/* Bytes of a name that a terminal would obey, or that are no ASCII, are shown as `?`. */
static void put_name(const char *name)
{
    for (int i = 0; i < NAME_SHOWN && name[i] != '\0'; i++)
        fputc(name[i] >= ' ' && name[i] < 0x7f ? name[i] : '?', stderr);
}

void lh_progress_show(struct lh_progress *progress, uint64_t lines, double share)
{
    fputs("\rloophound: reading ", stderr);
    put_name(progress->name);
    if (share >= 0)
        fprintf(stderr, ": %3.0f %%", share * 100);
    fprintf(stderr, ", %" PRIu64 " lines\033[K", lines);
    fflush(stderr);
    progress->shown = true;
    progress->next_ns = now_ns() + BETWEEN_NS;
}

void lh_progress_end(struct lh_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

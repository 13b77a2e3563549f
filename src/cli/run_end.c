/* The last lines of loophound run. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/run.h"

static void print_help(const struct lh_collector_counts *counts)
{
    fputs("loophound: no loop thread was seen: ", stderr);
    if (counts->processes == 0) {
        fputs("no watched process carried the library.\n"
              "  It cannot get into static programs, most Go programs, setuid programs, nor those "
              "of another libc.\n",
              stderr);
        return;
    }
    fputs("no thread called epoll_wait (a loop may wait in poll or select).\n"
          "  Name the loop thread: --loop main, --loop with globs of thread names, or\n"
          "  loophound_loop_enter() in the program.\n",
          stderr);
}

static const char *plural(uint64_t count, const char *one, const char *more)
{
    return count == 1 ? one : more;
}

void lh_run_print_end(const struct lh_collector_counts *counts, bool kind_said)
{
    if (counts->loops == 0 && !kind_said)
        print_help(counts);
    fprintf(stderr,
            "loophound: %" PRIu64 " %s, %" PRIu64 " loop %s, %" PRIu64 " %s, %" PRIu64
            " %s, %" PRIu64 " dropped\n",
            counts->processes, plural(counts->processes, "process", "processes"), counts->loops,
            plural(counts->loops, "thread", "threads"), counts->blocks,
            plural(counts->blocks, "block", "blocks"), counts->stalls,
            plural(counts->stalls, "stall", "stalls"), counts->dropped);
}

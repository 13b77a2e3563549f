/* SPDX-License-Identifier: Apache-2.0 */
/* The last lines of loophound run. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/run.h"
#include "collect/sink/text_fit.h"
#include "collect/sink/text_parts.h"

#define WHY_BYTES    512
#define QUIET_BYTES  1024
#define LINE_COLUMNS 78

static const char no_carrier[] =
    "  It cannot get into static programs, most Go programs, setuid programs, nor\n"
    "  those of another libc.\n";
static const char past_libc[] =
    "  That is a loop where it is seen twice, and its epoll set holds an eventfd, a\n"
    "  timerfd or a signalfd. With --loop main, or --loop and the thread's name, its\n"
    "  calls of libc are watched.\n";
static const char no_call[] =
    "  Name the loop thread: --loop main, --loop with globs of thread names, or\n"
    "  loophound_loop_enter() in the program.\n";

static const char not_told[] =
    "  What its threads waited in could not be seen, as for loops that wait past\n"
    "  libc: the kernel does not say it of this program (ptrace_scope, hidepid, other\n"
    "  credentials).\n";

static const char ask_doctor[] =
    "  What hinders it, and what is to be done: loophound doctor -- COMMAND\n";

/* Why no loop thread was seen. Returns what can be done. */
static const char *put_why(struct lh_text *why, const struct lh_run_totals *totals,
                           const struct lh_run_seen *seen)
{
    if (totals->processes == 0) {
        lh_text_string(why, "no watched process carried the library");
        return no_carrier;
    }
    if (seen->call != NULL) {
        lh_text_format(why, "thread %s waited in %s, but called the kernel itself, past libc",
                       seen->thread, seen->call);
        return past_libc;
    }
    lh_text_string(why, "no thread called epoll_wait, and no wait in poll or select was certain to "
                        "be that of a loop");
    return no_call;
}

static const char *plural(uint64_t count, const char *one, const char *more)
{
    return count == 1 ? one : more;
}

static void say_nothing_seen(const struct lh_run_totals *totals, const struct lh_run_end *end)
{
    char buf[WHY_BYTES];
    char line[WHY_BYTES + 64];
    struct lh_text why;
    struct lh_text said;
    lh_text_init(&why, buf, sizeof(buf));
    if (end->kind != NULL) { /* that was said before it was started */
        lh_text_format(&why, "%s %s", end->command, end->kind);
    } else {
        const char *advice = put_why(&why, totals, &end->seen);
        lh_text_init(&said, line, sizeof(line));
        lh_text_format(&said, "loophound: no loop thread was seen: %s.", buf);
        lh_text_wrap(&said, 0, LINE_COLUMNS);
        fprintf(stderr, "%s\n%s%s%s", line, advice,
                advice == no_call && end->seen.denied ? not_told : "",
                advice != past_libc ? ask_doctor : "");
    }
    lh_run_write_nothing(end, buf);
}

uint64_t lh_run_left(uint64_t all, uint64_t suppressed, uint64_t known)
{
    return all > suppressed + known ? all - suppressed - known : 0;
}

static void add_judged(struct lh_text *text, const struct lh_verdict *verdict)
{
    uint64_t suppressed = verdict->suppressed_blocks + verdict->suppressed_stalls;
    uint64_t known = verdict->known_blocks + verdict->known_stalls;
    if (verdict->rules->count > 0)
        lh_text_format(text, ", %" PRIu64 " suppressed", suppressed);
    if (verdict->has_baseline)
        lh_text_format(text, ", %" PRIu64 " known", known);
}

void lh_run_print_end(const struct lh_run_totals *totals, const struct lh_verdict *verdict,
                      const struct lh_run_end *end)
{
    char judged_buf[64];
    char quiet_buf[QUIET_BYTES];
    struct lh_text judged;
    struct lh_text quiet;
    uint64_t blocks =
        lh_run_left(totals->blocks, verdict->suppressed_blocks, verdict->known_blocks);
    uint64_t stalls =
        lh_run_left(totals->stalls, verdict->suppressed_stalls, verdict->known_stalls);
    lh_text_init(&judged, judged_buf, sizeof(judged_buf));
    add_judged(&judged, verdict);
    lh_text_init(&quiet, quiet_buf, sizeof(quiet_buf));
    lh_text_quiet(&quiet, totals->quiet);
    if (totals->loops == 0)
        say_nothing_seen(totals, end);
    if (end->options->strict != 0 && totals->dropped > 0)
        fprintf(stderr, "loophound: %" PRIu64 " %s lost, result not reliable\n", totals->dropped,
                plural(totals->dropped, "report", "reports"));
    fprintf(stderr,
            "loophound: %" PRIu64 " %s, %" PRIu64 " loop %s, %" PRIu64 " %s, %" PRIu64
            " %s%s, %" PRIu64 " dropped%s\n",
            totals->processes, plural(totals->processes, "process", "processes"), totals->loops,
            plural(totals->loops, "thread", "threads"), blocks, plural(blocks, "block", "blocks"),
            stalls, plural(stalls, "stall", "stalls"), judged.buf, totals->dropped, quiet.buf);
}

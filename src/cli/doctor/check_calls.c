/* SPDX-License-Identifier: Apache-2.0 */
/* Does the program wait past libc? */
#include <unistd.h>

#include "cli/doctor/checks.h"
#include "cli/doctor/proc.h"

#define PARANOID_MOST 2 /* of kernel.perf_event_paranoid, for a breakpoint in one's own code */

static void check_uring(const struct lh_subject *subject, struct lh_findings *findings)
{
    const char *library = lh_program_library(&subject->facts, "liburing*.so*");
    if (library == NULL && (subject->facts.inline_waits & LH_INLINE_URING) == 0)
        return;
    lh_find(findings, LH_MISS,
            "io_uring past libc (%s): a loop that waits there is not found by itself, and what it "
            "does there has no name",
            library != NULL ? library : "system calls of its own");
    lh_find_todo(findings,
                 "name the loop's thread: loophound run --loop main, or --loop 'worker-*'");
}

static void check_epoll(const struct lh_subject *subject, struct lh_findings *findings)
{
    int64_t paranoid = 0;
    if ((subject->facts.inline_waits & LH_INLINE_EPOLL) == 0 ||
        subject->program.kind != LH_COMMAND_WATCHABLE)
        return;
    lh_find(findings, LH_WARN,
            "it waits for events by system calls of its own (epoll_wait): its loop is looked at "
            "from outside, and a stall below one and a half thresholds may be missed");
    if (lh_file_number("/proc/sys/kernel/perf_event_paranoid", &paranoid) &&
        paranoid > PARANOID_MOST && geteuid() != 0)
        lh_find_todo(findings,
                     "sysctl kernel.perf_event_paranoid=2: only waits are told otherwise");
}

void lh_check_calls(const struct lh_subject *subject, struct lh_findings *findings)
{
    check_uring(subject, findings);
    check_epoll(subject, findings);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See no_collector.h. Runs on the watchdog: raw system calls, no libc state, no malloc. */
#include "preload/reader/no_collector.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "common/text.h"
#include "preload/sys/fd.h"
#include "preload/sys/syscall.h"

/* The program's descriptor: the watchdog has a table of its own. */
void lh_no_collector_say(const char *line)
{
    int fd = lh_fd_borrow(2);
    if (fd < 0)
        return;
    lh_syscall3(SYS_write, fd, (long)line, (long)strlen(line));
    lh_fd_close(fd);
}

static const char *reason_of(int error)
{
    switch (error) {
    case -EACCES:
        return "it may not be executed";
    case -ENOEXEC:
    case -ELIBBAD:
        return "it is no program for this machine";
    case -EMFILE:
    case -ENFILE:
        return "no descriptor is left (RLIMIT_NOFILE)";
    case -ECHILD:
        return "it has ended too often";
    default:
        return "it is missing, or out of reach";
    }
}

void lh_no_collector_say_why(int error, const char *problem)
{
    char line[256];
    struct lh_text text;
    lh_text_init(&text, line, sizeof(line));
    lh_text_string(&text, "loophound: no collector can be started (LOOPHOUND_COLLECTOR): ");
    lh_text_string(&text, problem != NULL ? problem : reason_of(error));
    lh_text_string(&text, "; writing raw JSON lines\n");
    lh_no_collector_say(line);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whose rights a ring's thread has when it looks at a program and its files: never more than the
 * program has itself at that moment. Files of the collector's own (outputs) are opened before. */
#ifndef LH_COLLECT_LINK_RIGHTS_H
#define LH_COLLECT_LINK_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lh_rights {
    pid_t pid;
    uid_t uid; /* of the last look … */
    gid_t gid;
    int64_t looked_ns; /* … which was at that time, CLOCK_MONOTONIC; 0: there was none */
    int proc_fd;       /* its directory in /proc; -1: not to be had */
    uid_t owner_uid;   /* whose that was at the last look */
    gid_t owner_gid;
    bool has_taken; /* the thread's rights are known: */
    uid_t taken_uid;
    gid_t taken_gid;
};

/* Of a program that has said hello with these. */
void lh_rights_init(struct lh_rights *rights, pid_t pid, uid_t uid, gid_t gid);
void lh_rights_end(struct lh_rights *rights);

/* Makes the calling thread's rights those that the program has now (proc_pid_status(5)), or had
 * when it was last seen. `uid` is what a record says: it can only take rights away. Always
 * called by the same thread, whose rights nothing else changes. Changes this thread alone: the
 * system calls, unlike libc's functions, do (credentials(7)). */
void lh_rights_follow(struct lh_rights *rights, uid_t uid);

#endif

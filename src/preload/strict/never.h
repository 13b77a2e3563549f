/* SPDX-License-Identifier: Apache-2.0 */
/* A call that took the threshold: is it certain that it cannot have waited? Then a busy machine let
 * it stand, and its time is the iteration's. One for each RULE of src/calls.def; false in doubt.
 *
 * Runs on the program's threads after the call, which may have closed or changed what it was about:
 * only rules whose question can still be asked then have an answer here. A time of nothing that was
 * asked for is seen in block.c. errno stays; raw system calls, no malloc, no locks. */
#ifndef LH_PRELOAD_STRICT_NEVER_H
#define LH_PRELOAD_STRICT_NEVER_H

#include <stdbool.h>
#include <stdio.h>

#include "preload/strict/rules.h"

/* O_NONBLOCK means nothing to a file on a disk, nor to the disk itself: open(2). */
bool lh_never_fd_or_disk(int fd);
bool lh_never_socket(int fd, int flags);
bool lh_never_vector(int fd, int flags);
bool lh_never_two_fds(int from, int to, unsigned splice_flags);
bool lh_never_stream_of(FILE *stream);

#define lh_never_stream(stream, ...)       lh_never_stream_of(stream)
#define lh_never_stream_out(stream, ...)   lh_never_stream_of(stream)
#define lh_never_stream_print(stream)      lh_never_stream_of(stream)
#define lh_never_stream_wide(stream, ...)  lh_never_stream_of(stream)
#define lh_never_stream_print_wide(stream) lh_never_stream_of(stream)
#define lh_never_fd_blocking(fd)           lh_never_fd_or_disk(fd)
#define lh_never_flag_set(flags, wait)     (lh_rule_flag_set(flags, wait) == LH_WAITS_NO)
#define lh_never_flag_unset(flags, do_not) (lh_rule_flag_unset(flags, do_not) == LH_WAITS_NO)
#define lh_never_host_name(node, hints)    (lh_rule_host_name(node, hints) == LH_WAITS_NO)
#define lh_never_words(words)              (lh_rule_words(words) == LH_WAITS_NO)

#define lh_never_always(...)         false
#define lh_never_time_asked(...)     false
#define lh_never_deadline_ahead(...) false
#define lh_never_disk_fd(...)        false
#define lh_never_path(...)           false
#define lh_never_directory(...)      false
#define lh_never_stream_opened(...)  false
#define lh_never_stream_flush(...)   false /* fclose(3) has given the stream free */
#define lh_never_opened(...)         false
#define lh_never_timeout_ms(...)     false
#define lh_never_timeout_ts(...)     false
#define lh_never_timeout_tv(...)     false
#define lh_never_timeval_at(...)     false
#define lh_never_semaphore(...)      false
#define lh_never_condition(...)      false
#define lh_never_lock_taken(...)     false
#define lh_never_until(...)          false
#define lh_never_futex(...)          false
#define lh_never_tree(...)           false
#define lh_never_lingers(...)        false
#define lh_never_time_only(...)      false

#endif

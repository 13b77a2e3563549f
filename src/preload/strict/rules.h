/* SPDX-License-Identifier: Apache-2.0 */
/* Strict mode: could this call have waited? One function for each RULE of src/calls.def.
 *
 * Runs on the program's threads before the call, only with LOOPHOUND_STRICT=on. errno and the
 * call's arguments stay as they are; what the arguments point to is read safely. Raw system calls,
 * no malloc, no locks. */
#ifndef LH_PRELOAD_STRICT_RULES_H
#define LH_PRELOAD_STRICT_RULES_H

#include <dirent.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

/* Could the call have waited? Asked before it, in strict mode and while there is no watchdog. */
enum lh_waits {
    LH_WAITS_NO,    /* not known, or not by the rules of strict mode */
    LH_WAITS_NEVER, /* certainly not: never.h, asked after it */
    LH_WAITS_YES,
    LH_WAITS_IF_OPENED, /* the result says: a descriptor of a disk file or FIFO */
    LH_WAITS_IF_STREAM, /* the same, and the result is a FILE * */
    LH_WAITS_UNWANTED,  /* nobody wants to be told of this call */
    LH_WAITS_ASK,       /* its rule is to be asked */
    LH_WAITS_NOISE,     /* and above: it does not matter, for it is noise of the class of which the
                           number is added: noise.h */
};

enum lh_waits lh_rule_always(void);
enum lh_waits lh_rule_time_asked(unsigned time);
enum lh_waits lh_rule_deadline_ahead(clockid_t clock, int flags, const struct timespec *time);
enum lh_waits lh_rule_fd_or_disk(int fd);
enum lh_waits lh_rule_socket(int fd, int flags);
enum lh_waits lh_rule_vector(int fd, int flags);
enum lh_waits lh_rule_two_fds(int from, int to, unsigned splice_flags);
enum lh_waits lh_rule_disk_fd(int fd);
/* As a call of the *at family understands its arguments; with AT_SYMLINK_NOFOLLOW the call is about
 * the name itself, so its directory counts. */
enum lh_waits lh_rule_path(int dirfd, const char *path, int flags);
enum lh_waits lh_rule_directory(DIR *dir);
enum lh_waits lh_rule_stream(FILE *stream, size_t wanted);
enum lh_waits lh_rule_stream_opened(void);
enum lh_waits lh_rule_stream_out(FILE *stream, size_t size);
enum lh_waits lh_rule_stream_flush(FILE *stream);
enum lh_waits lh_rule_stream_print(FILE *stream);
enum lh_waits lh_rule_stream_wide(FILE *stream, size_t wanted);
enum lh_waits lh_rule_stream_print_wide(FILE *stream);
enum lh_waits lh_rule_opened(void);
enum lh_waits lh_rule_timeout_ms(int timeout);
enum lh_waits lh_rule_timeout_ts(const struct timespec *timeout);
enum lh_waits lh_rule_timeout_tv(const struct timeval *timeout);
enum lh_waits lh_rule_semaphore(sem_t *sem);
enum lh_waits lh_rule_condition(pthread_cond_t *cond);
enum lh_waits lh_rule_lock_taken(void);
enum lh_waits lh_rule_until(clockid_t clock, const struct timespec *deadline);
enum lh_waits lh_rule_host_name(const char *node, const struct addrinfo *hints);
enum lh_waits lh_rule_fd_blocking(int fd);
enum lh_waits lh_rule_lingers(int fd);
enum lh_waits lh_rule_time_only(void);
enum lh_waits lh_rule_flag_set(int flags, int wait);
enum lh_waits lh_rule_tree(const void *tree);
enum lh_waits lh_rule_words(const char *words);
/* Of a raw system call: the address of a struct timeval, and the arguments of futex(2). */
enum lh_waits lh_rule_timeval_at(long timeout);
enum lh_waits lh_rule_futex(long word, long operation, long value);
enum lh_waits lh_rule_flag_unset(int flags, int do_not_wait);

/* What LH_WAITS_IF_OPENED asks for: a disk file, or a FIFO without O_NONBLOCK. */
bool lh_opened_could_wait(int fd);

/* The descriptor of the FILE at this address; -1 when that cannot be read. */
int lh_stream_fd(uintptr_t stream);

#endif

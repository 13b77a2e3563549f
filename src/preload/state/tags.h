/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: what the program says about its reports. That is the test that runs, and labels of a
 * thread. They are copied into each record as it begins, also by the watchdog for another thread;
 * calls that are not reported pay nothing.
 *
 * Set on the program's threads, read on any: raw system calls, no locks, errno stays. */
#ifndef LH_PRELOAD_STATE_TAGS_H
#define LH_PRELOAD_STATE_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/record.h"

/* Of the process, also of children that it forks from now on: `id` up to its 255th byte; NULL: no
 * test runs. */
void lh_tag_test(const char *id);

/* Of the calling thread; `value` NULL: without this one. 0, -EINVAL: there is no key; -ENOSPC: one
 * of the two is too long, or there are LH_LABELS_MAX others; -ENOMEM. */
int lh_tag_label(const char *key, const char *value);

/* Copies both into the record, which is about the thread `tid`. `own`: that is the calling one. */
void lh_tags_fill(struct lh_record *record, uint32_t tid, bool own);

#endif

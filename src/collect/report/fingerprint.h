/* SPDX-License-Identifier: Apache-2.0 */
/* The one notion of a place: what makes two events the same mistake. Any thread. */
#ifndef LH_COLLECT_REPORT_FINGERPRINT_H
#define LH_COLLECT_REPORT_FINGERPRINT_H

#include <stdint.h>

#include "common/event.h"

/* FNV-64 of the call, the file, the function, what the user called there, and the text of the line.
 * It stays the same where the file has moved by a line, and on another machine: a file is named
 * from `cwd` or from the directory of installed packages on, a function without its parameters. No
 * line number is in it.
 *
 * `call`: libc's name; NULL: a stall. `frame`: lh_place_of(). `api`: of a call the function of
 * lh_api_of(), or NULL. `cwd`: "": not known. */
uint64_t lh_fingerprint(const char *call, const struct lh_frame *frame, const char *api,
                        const char *cwd);

/* The name of a file from `cwd` or from the directory of installed packages on. */
const char *lh_place_file(const char *file, const char *cwd);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is compressed, by zlib. Main thread. */
#ifndef LH_CLI_EXPORT_GZIP_H
#define LH_CLI_EXPORT_GZIP_H

#include <stddef.h>
#include <stdio.h>

struct lh_gzip;

struct lh_gzip *lh_gzip_new(FILE *to); /* NULL: out of memory */
void lh_gzip_write(struct lh_gzip *gzip, const void *bytes, size_t length);

/* Writes what is left, and frees it. Returns 0, or a negative errno where compressing failed. */
int lh_gzip_end(struct lh_gzip *gzip);

#endif

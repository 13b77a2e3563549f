/* SPDX-License-Identifier: Apache-2.0 */
/* JSON written to a stream bit by bit, for formats of any size. Main thread. */
#ifndef LH_CLI_EXPORT_PUT_H
#define LH_CLI_EXPORT_PUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct lh_put {
    FILE *to;
    bool comma; /* is needed before the next member or element */
};

/* `{`, `}`, `[`, `]`; commas are placed by the writer. */
void lh_put_open(struct lh_put *put, char bracket);
void lh_put_close(struct lh_put *put, char bracket);

/* The name of a member, and what may follow: a value, or lh_put_open(). */
void lh_put_key(struct lh_put *put, const char *key);
void lh_put_string(struct lh_put *put,
                   const char *text); /* NULL: null. UTF-8 of a model's length */
void lh_put_u64(struct lh_put *put, uint64_t value);
void lh_put_i64(struct lh_put *put, int64_t value);
void lh_put_bool(struct lh_put *put, bool value);
void lh_put_null(struct lh_put *put);

/* Nanoseconds in milliseconds or microseconds, to the last one: 301.234567, 301234.567. */
void lh_put_ms(struct lh_put *put, uint64_t ns);
void lh_put_us(struct lh_put *put, uint64_t ns);

/* Members. */
void lh_put_text(struct lh_put *put, const char *key, const char *text); /* NULL or "": none */
void lh_put_number(struct lh_put *put, const char *key, uint64_t value);
void lh_put_millis(struct lh_put *put, const char *key, uint64_t ns);

#endif

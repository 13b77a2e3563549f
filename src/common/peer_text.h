/* SPDX-License-Identifier: Apache-2.0 */
/* Socket addresses as text. Any thread, also in the watchdog: no malloc, no stdio, no locale. */
#ifndef LH_COMMON_PEER_TEXT_H
#define LH_COMMON_PEER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/record.h"

/* Writes a struct in_addr (AF_INET) or in6_addr (AF_INET6) as numbers, terminated, cut where it
 * does not fit; of another family nothing. Returns its length. */
size_t lh_address_text(int family, const void *address, char *text, size_t size);

/* "127.0.0.1:5432", "[::1]:80", "/run/x.sock" or "@abstract" of a socket resource; false: unknown.
 * `size` must be at least 128. */
bool lh_peer_text(const struct lh_resource *resource, char *text, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers by the ids of lines, in few bytes each: a report may have very many stacks. Main thread.
 */
#ifndef LH_CLI_REPORT_IDS_H
#define LH_CLI_REPORT_IDS_H

#include <stdbool.h>
#include <stdint.h>

#define LH_NO_NUMBER UINT32_MAX

/* Zeroed: empty. */
struct lh_ids {
    uint64_t *keys; /* hashes of the ids; 0: free */
    uint32_t *numbers;
    uint32_t size; /* a power of two, or 0 */
    uint32_t count;
};

/* LH_NO_NUMBER: it has none. `id` may be any text. */
uint32_t lh_ids_find(const struct lh_ids *ids, const char *id);

/* Gives an id its number, in the place of the one that it may have had. False: there is no memory.
 */
bool lh_ids_add(struct lh_ids *ids, const char *id, uint32_t number);

/* The same by a key that a caller has made itself; not 0. */
uint32_t lh_ids_find_key(const struct lh_ids *ids, uint64_t key);
bool lh_ids_add_key(struct lh_ids *ids, uint64_t key, uint32_t number);

void lh_ids_free(struct lh_ids *ids);

#endif

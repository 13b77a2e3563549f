/* SPDX-License-Identifier: Apache-2.0 */
/* Where the words are that switch.py reads and writes in a watched program, as JSON: offsets in
 * struct lh_process (slots: of the first one) and in struct lh_slot. */
#include <stddef.h>
#include <stdio.h>

#include "preload/state/state.h"

int main(void)
{
    printf("{\"rests\": %zu, \"slots_used\": %zu, \"slots\": %zu, \"slot_size\": %zu, "
           "\"tid\": %zu, \"epfd\": %zu, \"parked\": %zu}\n",
           offsetof(struct lh_process, rests), offsetof(struct lh_process, slots_used),
           offsetof(struct lh_process, slots), sizeof(struct lh_slot),
           offsetof(struct lh_slot, tid), offsetof(struct lh_slot, epfd),
           offsetof(struct lh_slot, parked));
    return 0;
}

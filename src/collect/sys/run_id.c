/* SPDX-License-Identifier: Apache-2.0 */
/* Which run it is. See run_id.h. */
#include "collect/sys/run_id.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char id[17];

static void make(void)
{
    uint64_t number;
    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) == (ssize_t)sizeof(number))
        (void)snprintf(id, sizeof(id), "%016" PRIx64, number);
}

const char *lh_run_id(void)
{
    pthread_once(&once, make);
    return id;
}

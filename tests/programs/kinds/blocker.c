/* SPDX-License-Identifier: Apache-2.0 */
/* A library that blocks, in functions that have symbols and lines of their own. */
#include <time.h>

void block_here(void);
void block_there(void);
void block_elsewhere(void);

static void block(void)
{
    const struct timespec moment = {0, 1000};
    nanosleep(&moment, NULL);
}

void block_here(void)
{
    block();
}

void block_there(void)
{
    block();
}

void block_elsewhere(void)
{
    block();
}

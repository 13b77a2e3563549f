/* SPDX-License-Identifier: Apache-2.0 */
/* Is it a terminal that we write to, and how wide? Main thread. */
#ifndef LH_CLI_TERMINAL_H
#define LH_CLI_TERMINAL_H

#include <stddef.h>
#include <stdio.h>

/* Its columns; 0: it is none. */
size_t lh_terminal_columns(FILE *file);

#endif

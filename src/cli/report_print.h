/* SPDX-License-Identifier: Apache-2.0 */
/* The table of loophound report, as it is printed. Main thread. */
#ifndef LH_CLI_REPORT_PRINT_H
#define LH_CLI_REPORT_PRINT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/report.h"

/* How it is to look. */
struct lh_look {
    const struct lh_by *by;
    uint32_t top; /* most rows; 0: all */
    bool advice;  /* below each row, where there is any */
};

/* The table has ended: lh_table_end(). */
typedef void lh_print_table(const struct lh_table *table, const struct lh_look *look);

lh_print_table lh_print_text;     /* for a terminal, and a line that counts */
lh_print_table lh_print_markdown; /* the same for a page */
lh_print_table lh_print_lines;    /* one a row, without more: for grep(1) and awk(1) */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Cells of tables in Markdown, as GitHub and GitLab read them. Main thread. */
#ifndef LH_CLI_MARKDOWN_H
#define LH_CLI_MARKDOWN_H

#include <stdio.h>

/* Code in a cell: nothing in the text means anything there. "" is an empty cell. */
void lh_markdown_code(FILE *to, const char *text);

/* A sentence in a cell, likewise. */
void lh_markdown_text(FILE *to, const char *text);

#endif

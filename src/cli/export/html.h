/* SPDX-License-Identifier: Apache-2.0 */
/* The data of the HTML report: for the files html*.c alone. Main thread of the command.
 *
 * html/data.js says what the page expects. Only what an event needs is written: strings, frames and
 * nodes have new numbers there, in the order in which they are first needed. */
#ifndef LH_CLI_EXPORT_HTML_H
#define LH_CLI_EXPORT_HTML_H

#include <stdio.h>

#include "cli/export/model.h"

/* Beyond these a browser gets slow: the shortest events are left to the table of places, and of
 * those that are written the shorter ones go without details. */
#define LH_HTML_EVENTS_MAX  100000u
#define LH_HTML_DETAILS_MAX 10000u

enum lh_html_rank { LH_HTML_LEFT_OUT, LH_HTML_SHORT, LH_HTML_DETAILED };

/* What was written of a place's events. */
struct lh_html_written {
    uint64_t count;
    uint64_t ns;
};

struct lh_html {
    const struct lh_export_model *model;
    FILE *to;
    int64_t begin_ns;       /* since 1970; all other times are from here on */
    uint8_t *ranks;         /* enum lh_html_rank, of each event */
    uint32_t *strings;      /* new numbers of the model's; 0: has none yet */
    uint32_t *string_order; /* the model's numbers of the new ones */
    uint32_t string_count;
    uint32_t *frames;
    uint32_t frame_count;
    uint32_t *nodes;
    uint32_t node_count;
    struct lh_html_written *places;
    uint64_t left_events;
    uint64_t left_ns;
    uint64_t left_details;
};

/* Chooses what is written, and numbers it. Returns 0 or -ENOMEM; lh_html_end() frees it anyway. */
int lh_html_begin(struct lh_html *html, const struct lh_export_model *model, FILE *to);
void lh_html_end(struct lh_html *html);

/* A string as JSON that can stand inside a <script> element: no "<", no line end of any kind. */
void lh_html_put_text(FILE *to, const char *text);

/* The new number of a string. */
uint32_t lh_html_string(struct lh_html *html, uint32_t string);

/* Arrays of rows: see html/data.js. */
void lh_html_put_frames(struct lh_html *html);
void lh_html_put_nodes(struct lh_html *html);
void lh_html_put_threads(struct lh_html *html);
void lh_html_put_places(struct lh_html *html);
void lh_html_put_events(struct lh_html *html);

#endif

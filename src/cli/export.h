/* SPDX-License-Identifier: Apache-2.0 */
/* Events as other tools read them: what `export` does, and `run` for its --report. Main thread. */
#ifndef LH_CLI_EXPORT_H
#define LH_CLI_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/report_read.h"

struct lh_export_model; /* cli/export/model.h */

/* A row of cli/export/formats.def. */
struct lh_export_format {
    const char *name;
    const char *extension; /* of a file of it, with its dot */
    const char *doc;
    bool binary; /* nothing for a terminal */
    /* Writes all of it. Returns 0 or a negative errno; an error of the stream is found by whoever
     * has opened it. */
    int (*write)(const struct lh_export_model *model, FILE *to);
};

/* Ends in a row without a name. */
extern const struct lh_export_format lh_export_formats[];

/* NULL: there is none of this name. */
const struct lh_export_format *lh_export_format_find(const char *name);

/* What is read, and how much of it is written. All zero but the range: LH_EXPORT_DEFAULTS. */
struct lh_export_options {
    const char *const *directories; /* as of lh_symbol_files_new(); NULL: none */
    struct lh_time_range range;
    uint32_t top; /* most places, of formats of places; 0: all */
};

#define LH_EXPORT_DEFAULTS ((struct lh_export_options){.range = LH_ALL_TIMES})

/* Reads the files ("-" or none: standard input) and writes them as one file of that format. It is
 * made beside `output` and renamed, so that a reader sees all of it or the old one; NULL: standard
 * output. Says on standard error what went wrong, and what is left out. Returns 0, or an exit
 * status: LH_EXIT_FAILED; where only some of the files could be read, the rest is written. */
int lh_export(const struct lh_export_format *format, const struct lh_export_options *options,
              const char *const *files, size_t count, const char *output);

/* Its two halves, for several formats of the same files. */

/* Reads the files ("-" or none: standard input), and says on standard error what is left out. NULL:
 * out of memory. *status: 0, or an exit status where a file could not be read or has no event. */
struct lh_export_model *lh_export_model_read(const struct lh_export_options *options,
                                             const char *const *files, size_t count, int *status);
void lh_export_model_free(struct lh_export_model *model);

int lh_export_write(const struct lh_export_format *format, const struct lh_export_model *model,
                    const char *output);

/* One of several files that are made of the same events. */
struct lh_export_job {
    const struct lh_export_format *format;
    const char *output;
};

/* What GitHub Actions shows: annotations as commands on standard error, of places that are not in
 * the baseline, and the table of all. */
struct lh_export_actions {
    const char *summary; /* the file at whose end the table goes; NULL: nowhere */
    bool failed;         /* set: something did, which was said */
};

/* Writes all of them of one file of events, which is read once. `actions`: NULL: not wanted.
 * Returns how many of the jobs have failed, each of which it has said. */
uint32_t lh_export_several(const struct lh_export_job *jobs, uint32_t count,
                           struct lh_export_actions *actions, const char *file);

#endif

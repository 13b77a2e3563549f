/* SPDX-License-Identifier: Apache-2.0 */
/* What a place comes to, in words: for formats that are lists of places. Main thread. */
#ifndef LH_CLI_EXPORT_PLACE_TEXT_H
#define LH_CLI_EXPORT_PLACE_TEXT_H

#include "cli/export/model.h"

#define LH_PLACE_TEXT_BYTES 1024

/* "clock_nanosleep blocked the event loop 10 times, worst 101.2 ms, 1002.4 ms in all" */
void lh_place_sentence(const struct lh_export_model *model, const struct lh_export_place *place,
                       char room[LH_PLACE_TEXT_BYTES]);

/* "Use await asyncio.sleep() [ruff ASYNC251]"; "": nothing is known that would help. */
void lh_place_advice(const struct lh_export_model *model, const struct lh_export_place *place,
                     char room[LH_PLACE_TEXT_BYTES]);

/* The file of the place as a path from the root on, or an absolute one, for formats that name
 * files; NULL: it has none. */
const char *lh_place_path(const struct lh_export_model *model, const struct lh_export_place *place,
                          char room[LH_EXPORT_PATH_BYTES]);

/* Text without what a terminal would obey, and what a reader does not see. */
#define LH_CLEAN_BYTES (2 * LH_EXPORT_STRING_MAX)
const char *lh_clean(const char *text, char room[LH_CLEAN_BYTES]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the loop had called, of a report. Runs on the threads of the rings. */
#ifndef LH_COLLECT_REPORT_CALLBACKS_H
#define LH_COLLECT_REPORT_CALLBACKS_H

#include "common/event.h"

/* Fills in report->callback and callback_kind, by the stack that is shown first: that of a block,
 * or of the first group of a stall. The one of a stall is told by Node.js alone, for which task of
 * asyncio's ran then is not known. */
void lh_callback_take(struct lh_report *report);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Classes of noise. See class_of_noise.h. */
#include "collect/report/class_of_noise.h"

#include <stddef.h>

static const struct row {
    enum lh_noise noise;
    const char *calls;
    const char *functions;
} rows[] = {
#define NATIVE(id, calls, functions) {LH_NOISE_##id, calls, functions},
#include "noise.def"
};

static bool is_among(const char *functions, const struct lh_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count && frames[i].lang == LH_LANG_NATIVE; i++)
        if (frames[i].function != NULL && lh_glob_list_match(functions, frames[i].function))
            return true;
    return false;
}

enum lh_noise lh_noise_of_native(const char *call, const struct lh_frame *frames, uint32_t count)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (lh_glob_list_match(rows[i].calls, call) && is_among(rows[i].functions, frames, count))
            return rows[i].noise;
    return LH_NOISE_NONE;
}

void lh_noise_take(struct lh_report *report, const struct lh_options *options)
{
    const struct lh_record *record = report->record;
    bool call = record->type == LH_EVENT_BLOCK || record->type == LH_EVENT_INFLIGHT;
    if (options->strict == 0 || !call)
        return;
    report->noise = (enum lh_noise)record->noise;
    if (report->noise == LH_NOISE_NONE)
        report->noise = lh_noise_of_native(lh_call_info(record->call)->canonical, report->frames,
                                           report->frame_count);
    report->noise_is_on =
        report->noise != LH_NOISE_NONE && (record->noise_on & lh_noise_bit(report->noise)) != 0;
}

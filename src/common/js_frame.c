/* SPDX-License-Identifier: Apache-2.0 */
/* From a record's frame of JavaScript to one that is reported. Anywhere: no malloc, no stdio. */
#include "common/js_frame.h"

#include "common/text.h"

struct lh_frame lh_js_frame_of(const struct lh_js_frame *js, const char *strings)
{
    static const char url[] = "file://";
    const char *function = strings + js->function;
    const char *file = strings + js->script;
    if (lh_starts_with(file, url))
        file += sizeof(url) - 1;
    return (struct lh_frame){
        .lang = LH_LANG_JIT,
        .function = function[0] != '\0' ? function : "(anonymous)",
        .file = file[0] != '\0' ? file : NULL,
        .line = js->line,
        .column = js->column,
        .of_class = js->has_class ? strings + js->of_class : NULL,
        .about = {.kind = (enum lh_js_about)js->about,
                  .text = js->about == LH_JS_ABOUT_REGEXP ? strings + js->text : NULL,
                  .amount = js->amount},
        .at_start = js->how == LH_JS_START,
    };
}

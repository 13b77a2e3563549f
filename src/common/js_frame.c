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
    if (function[0] == '\0') /* what V8 itself has between two functions has no file either */
        function = file[0] != '\0' ? "(anonymous)" : NULL;
    return (struct lh_frame){
        .lang = LH_LANG_JIT,
        .function = function,
        .file = file[0] != '\0' ? file : NULL,
        .line = js->line,
        .column = js->column,
        .at_start = js->how == LH_JS_START,
    };
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From a record's frame of JavaScript to one that is reported. Anywhere: no malloc, no stdio. */
#include "common/js_frame.h"

#include <string.h>

#include "common/percent.h"
#include "common/text.h"

/* Once: other frames of the script find a path in that place. */
static void put_path(char *file)
{
    static const char url[] = "file://";
    size_t length = sizeof(url) - 1;
    if (!lh_starts_with(file, url))
        return;
    memmove(file, file + length, strlen(file + length) + 1);
    lh_percent_decode(file);
}

struct lh_frame lh_js_frame_of(const struct lh_js_frame *js, char *strings)
{
    const char *function = strings + js->function;
    const char *file = strings + js->script;
    put_path(strings + js->script);
    if (function[0] == '\0') /* what V8 itself has between two functions has no file either */
        function = file[0] != '\0' ? "(anonymous)" : NULL;
    return (struct lh_frame){
        .lang = LH_LANG_JIT,
        .function = function,
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

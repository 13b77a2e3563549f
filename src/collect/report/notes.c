/* SPDX-License-Identifier: Apache-2.0 */
/* Notes about stacks, by the table src/runtimes.def. Runs on the threads of the rings. */
#include "collect/report/notes.h"

#include <stddef.h>
#include <string.h>

#include "collect/stack/runtimes.h"
#include "common/options.h"
#include "common/text.h"

_Static_assert(LH_RUNTIMES < LH_NOTES_MAX, "each has a bit, and so has the old map");

static const char old_map_sentence[] =
    "/tmp/perf-PID.map is older than this process, another one wrote it: its names are not used";

static bool has_function(const struct lh_runtime *runtime, const struct lh_frame *frame)
{
    return runtime->function == NULL ||
           (frame->function != NULL && lh_glob_list_match(runtime->function, frame->function));
}

/* Frames of one module stand together. */
static bool is_in(const struct lh_runtime *runtime, const struct lh_frame *frames, uint32_t count)
{
    const char *module = NULL;
    bool has_module = false;
    for (uint32_t i = 0; i < count; i++) {
        if (frames[i].module != module)
            has_module = frames[i].module != NULL && lh_runtime_has(runtime, frames[i].module);
        module = frames[i].module;
        if (has_module && has_function(runtime, &frames[i]))
            return true;
    }
    return false;
}

/* Functions of the program's own language: then it is known how to get them. */
static bool has_names(const struct lh_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (frames[i].lang != LH_LANG_NATIVE && frames[i].function != NULL)
            return true;
    return false;
}

static bool say(struct lh_notes *notes, uint32_t which)
{
    bool said = (notes->said & 1u << which) != 0;
    notes->said |= 1u << which;
    return !said;
}

const char *lh_note_about(struct lh_notes *notes, const struct lh_frame *frames, uint32_t count,
                          bool old_map)
{
    if (count == 0 || has_names(frames, count))
        return NULL;
    if (old_map && say(notes, LH_RUNTIMES))
        return old_map_sentence;
    for (uint32_t i = 0; i < LH_RUNTIMES; i++)
        if (is_in(&lh_runtimes[i], frames, count))
            return say(notes, i) ? lh_runtimes[i].sentence : NULL;
    return NULL;
}

const char *lh_note_flaw(struct lh_notes *notes, const char *script, enum lh_script_flaw flaw)
{
    static const char place[] = "%s";
    const char *sentence = lh_script_flaw_info(flaw)->sentence;
    const char *at = strstr(sentence, place);
    struct lh_text text;
    lh_text_init(&text, notes->text, sizeof(notes->text));
    while (sentence < at)
        lh_text_char(&text, *sentence++);
    lh_text_string(&text, script[0] != '\0' ? script : "code that was evaluated");
    lh_text_string(&text, at + sizeof(place) - 1);
    return notes->text;
}

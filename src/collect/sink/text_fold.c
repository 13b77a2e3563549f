/* SPDX-License-Identifier: Apache-2.0 */
/* Folded frames. Runs on the threads of the rings. */
#include "collect/sink/text_fold.h"

#include <inttypes.h>
#include <string.h>

#include "collect/sink/text_parts.h"
#include "collect/stack/frame_kind.h"

#define NAMED_PACKAGES 3
#define INNERMOST      2 /* rows that are shown from there on, whosever they are */
#define LEAST_FOLDED   3 /* frames in one line of those inside of the place */
#define AROUND_PLACE   4 /* rows outside of a place that is nobody's own */

/* What is asked of each frame. */
struct view {
    const struct lh_frame *frames;
    uint32_t count;
    uint32_t place;
    bool own;     /* the place is the user's own code */
    bool script;  /* there is Python or JavaScript: the machine code below says little */
    bool runtime; /* there is what runs a program of another language */
};

static bool is_unnamed(const struct lh_frame *frame)
{
    return frame->function == NULL && frame->file == NULL;
}

static bool is_import(const struct lh_frame *frame)
{
    return frame->file != NULL && (lh_starts_with(frame->file, "<frozen importlib") ||
                                   strstr(frame->file, "/importlib/_bootstrap") != NULL);
}

static bool is_foldable(const struct lh_frame *frame)
{
    enum lh_frame_kind kind = lh_frame_kind_of(frame);
    return kind == LH_FRAME_LIBRARY || kind == LH_FRAME_RUNTIME || kind == LH_FRAME_GENERATED;
}

/* One alone takes no more room than a line that says so; of code made at run time it says nothing.
 */
static bool is_in_unnamed_run(const struct view *view, uint32_t i)
{
    return is_unnamed(&view->frames[i]) &&
           (view->frames[i].lang == LH_LANG_JIT || (i > 0 && is_unnamed(&view->frames[i - 1])) ||
            (i + 1 < view->count && is_unnamed(&view->frames[i + 1])));
}

static enum lh_showing showing_outside(const struct view *view, uint32_t i)
{
    const struct lh_frame *frame = &view->frames[i];
    if (lh_frame_kind_of(frame) == LH_FRAME_LIBC)
        return view->script || view->own || view->runtime ? LH_HIDE : LH_SHOW;
    if (!is_foldable(frame))
        return LH_SHOW;
    return !view->own && i <= view->place + AROUND_PLACE && !is_unnamed(frame) ? LH_SHOW : LH_FOLD;
}

/* `rows` have been shown before. */
static enum lh_showing showing_inside(const struct view *view, uint32_t i, uint32_t rows)
{
    uint32_t next = i + 1;
    while (next < view->place && lh_frame_kind_of(&view->frames[next]) == LH_FRAME_INTERPRETER)
        next++;
    bool called_there = next == view->place;
    return rows < INNERMOST || called_there || !is_foldable(&view->frames[i]) ? LH_SHOW : LH_FOLD;
}

static enum lh_showing showing_of_frame(const struct view *view, uint32_t i, uint32_t rows)
{
    const struct lh_frame *frame = &view->frames[i];
    if (i == view->place)
        return LH_SHOW;
    if (lh_frame_kind_of(frame) == LH_FRAME_INTERPRETER)
        return view->script ? LH_HIDE : LH_FOLD;
    if (is_import(frame) || is_in_unnamed_run(view, i))
        return LH_FOLD;
    return i > view->place ? showing_outside(view, i) : showing_inside(view, i, rows);
}

/* Inside of the place a line about few frames says less than they do. */
static void show_short_runs(const struct view *view, enum lh_showing *showing)
{
    uint32_t end;
    for (uint32_t begin = 0; begin < view->place; begin = end) {
        uint32_t folded = 0;
        bool plain = true;
        for (end = begin; end < view->place && showing[end] != LH_SHOW; end++) {
            folded += showing[end] == LH_FOLD;
            plain &= !is_import(&view->frames[end]) && !is_unnamed(&view->frames[end]);
        }
        for (uint32_t i = begin; plain && folded < LEAST_FOLDED && i < end; i++)
            if (showing[i] == LH_FOLD)
                showing[i] = LH_SHOW;
        end += end == begin;
    }
}

void lh_showing_of(const struct lh_frame *frames, uint32_t count, enum lh_showing *showing)
{
    struct view view = {
        frames, count, lh_place_of(frames, count), lh_first_of_user(frames, count) < count,
        false,  false};
    uint32_t rows = 0;
    for (uint32_t i = 0; i < count; i++) {
        view.script |= lh_frame_is_script(&frames[i]);
        view.runtime |= lh_frame_kind_of(&frames[i]) == LH_FRAME_RUNTIME;
    }
    for (uint32_t i = 0; i < count; i++) {
        showing[i] = showing_of_frame(&view, i, rows);
        rows += showing[i] == LH_SHOW;
    }
    show_short_runs(&view, showing);
}

void lh_fold_add(struct lh_fold *fold, const struct lh_frame *frame)
{
    char name[LH_PACKAGE_BYTES];
    uint32_t i = 0;
    lh_frame_package(frame, name);
    fold->frames++;
    fold->unnamed += name[0] == '\0';
    while (i < fold->packages && strcmp(fold->package[i].name, name) != 0)
        i++;
    if (i == LH_FOLD_PACKAGES || name[0] == '\0')
        return;
    if (i == fold->packages) {
        memcpy(fold->package[i].name, name, sizeof(name));
        fold->package[i].frames = 0;
        fold->packages++;
    }
    fold->package[i].frames++;
}

/* The package with the most frames that is not named yet; the first of equals. */
static uint32_t top_package(const struct lh_fold *fold)
{
    uint32_t top = 0;
    for (uint32_t i = 1; i < fold->packages; i++)
        if (fold->package[i].frames > fold->package[top].frames)
            top = i;
    return top;
}

void lh_fold_text(struct lh_fold *fold, struct lh_text *text)
{
    lh_text_format(text, "... %" PRIu32 " frame%s", fold->frames, fold->frames == 1 ? "" : "s");
    for (uint32_t n = 0; n < NAMED_PACKAGES && n < fold->packages; n++) {
        uint32_t top = top_package(fold);
        lh_text_string(text, n == 0 ? " of " : ", ");
        lh_text_clean(text, fold->package[top].name, strlen(fold->package[top].name));
        fold->package[top].frames = 0;
    }
    if (fold->unnamed == fold->frames)
        lh_text_string(text, " without names");
    else if (fold->unnamed > 0)
        lh_text_format(text, ", %" PRIu32 " without a name", fold->unnamed);
}

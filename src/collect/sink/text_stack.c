/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks in text reports: aligned columns, frames of libraries folded. Runs on the threads of the
 * rings. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collect/sink/source.h"
#include "collect/sink/text_fit.h"
#include "collect/sink/text_fold.h"
#include "collect/sink/text_parts.h"
#include "collect/stack/frame_kind.h"

#define CELL_BYTES     192
#define GAP            2  /* spaces between columns */
#define PADDING_MAX    40 /* a longer cell does not push the column of the others */
#define LEAST_FUNCTION 17 /* so that short reports line up with one another */

enum { CELL_WHERE, CELL_WHAT, CELL_MORE, CELL_COUNT };

struct row {
    bool folded; /* one cell, for a run of frames */
    bool place;  /* the one to look at first */
    char cells[CELL_COUNT][CELL_BYTES];
};

struct lh_text_stack {
    const struct lh_ring *header;
    const struct lh_text_style *style;
    struct lh_source *source;
    bool hint_given; /* of how to see folded frames */
    uint32_t row_count;
    struct row rows[LH_STACK_FRAMES_MAX + 2]; /* and what is no frame */
};

struct lh_text_stack *lh_text_stack_new(const struct lh_ring *header,
                                        const struct lh_text_style *style)
{
    struct lh_text_stack *stack = calloc(1, sizeof(*stack));
    if (stack == NULL)
        return NULL;
    stack->header = header;
    stack->style = style;
    stack->source = lh_source_new(header->cwd);
    if (stack->source != NULL)
        return stack;
    free(stack);
    return NULL;
}

void lh_text_stack_free(struct lh_text_stack *stack)
{
    if (stack == NULL)
        return;
    lh_source_free(stack->source);
    free(stack);
}

static void cell_init(struct row *row, int cell, struct lh_text *text)
{
    lh_text_init(text, row->cells[cell], CELL_BYTES);
}

static struct row *new_row(struct lh_text_stack *stack)
{
    struct row *row = &stack->rows[stack->row_count++];
    struct lh_text text;
    row->folded = false;
    row->place = false;
    for (int cell = 0; cell < CELL_COUNT; cell++)
        cell_init(row, cell, &text);
    return row;
}

static void add_string(struct lh_text *text, const char *string)
{
    lh_text_clean(text, string, strlen(string));
}

static const char *module_name(const struct lh_frame *frame)
{
    return frame->module != NULL ? lh_base_name(frame->module) : "?";
}

static void fill_where(struct lh_text_stack *stack, struct row *row, const struct lh_frame *frame)
{
    struct lh_text text;
    if (frame->file == NULL)
        return;
    cell_init(row, CELL_WHERE, &text);
    lh_text_path(&text, frame->file, stack->header->cwd);
    if (frame->line != 0)
        lh_text_format(&text, ":%" PRIu32, frame->line);
}

static void fill_what(struct row *row, const struct lh_frame *frame)
{
    struct lh_text text;
    cell_init(row, CELL_WHAT, &text);
    if (frame->function != NULL) {
        if (frame->of_class != NULL) {
            add_string(&text, frame->of_class);
            lh_text_char(&text, '.');
        }
        add_string(&text, frame->function);
        if (frame->inlined)
            lh_text_string(&text, " (inlined)");
        if (frame->at_start && frame->line != 0)
            lh_text_string(&text, " (begins there)");
    } else if (frame->lang == LH_LANG_PYTHON) {
        lh_text_char(&text, '?');
    } else {
        add_string(&text, module_name(frame));
        if (frame->offset != 0)
            lh_text_format(&text, "+0x%" PRIx64, frame->offset);
    }
}

static void fill_more(struct lh_text_stack *stack, struct row *row, const struct lh_frame *frame)
{
    struct lh_text text;
    cell_init(row, CELL_MORE, &text);
    if (frame->source != NULL)
        add_string(&text, frame->source);
    else if (frame->file == NULL && frame->about.kind != LH_JS_ABOUT_NOTHING)
        lh_text_amount(&text, &frame->about);
    else if (lh_frame_is_script(frame))
        lh_source_line(stack->source, frame->file != NULL ? frame->file : "<", frame->line,
                       frame->column, &text);
    if (text.length > 0)
        return;
    if (frame->lang == LH_LANG_NATIVE && frame->function != NULL && frame->module != NULL)
        add_string(&text, module_name(frame));
}

static void add_frame(struct lh_text_stack *stack, const struct lh_frame *frame, bool is_place)
{
    struct row *row = new_row(stack);
    row->place = is_place;
    fill_where(stack, row, frame);
    fill_what(row, frame);
    fill_more(stack, row, frame);
}

static void add_fold(struct lh_text_stack *stack, struct lh_fold *fold)
{
    struct lh_text text;
    if (fold->frames == 0)
        return;
    struct row *row = new_row(stack);
    row->folded = true;
    cell_init(row, CELL_WHERE, &text);
    lh_fold_text(fold, &text);
    if (!stack->hint_given)
        lh_text_string(&text, " (--stack full shows them)");
    stack->hint_given = true;
    *fold = (struct lh_fold){0};
}

/* A line that is no frame. */
static void add_remark(struct lh_text_stack *stack, struct lh_text *text)
{
    struct row *row = new_row(stack);
    row->folded = true;
    cell_init(row, CELL_WHERE, text);
}

static void add_cut(struct lh_text_stack *stack, enum lh_cut cut)
{
    const struct lh_options *options = &stack->header->options;
    struct lh_text text;
    if (cut == LH_CUT_NONE)
        return;
    add_remark(stack, &text);
    const char *most = options->stack_frames == LH_STACK_FRAMES_MAX ? ", the most" : "";
    if (cut == LH_CUT_BYTES)
        lh_text_format(&text,
                       "... the copy of the stack ends here (LOOPHOUND_STACK_BYTES=%" PRIu32 ")",
                       options->stack_bytes);
    else
        lh_text_format(&text, "... %s (LOOPHOUND_STACK=%" PRIu32 "%s)",
                       cut == LH_CUT_FRAMES ? "frames further out are cut"
                                            : "the interpreter's own frames are left out",
                       options->stack_frames, most);
}

static void add_rows_folded(struct lh_text_stack *stack, const struct lh_frame *frames,
                            uint32_t count)
{
    enum lh_showing showing[LH_STACK_FRAMES_MAX];
    struct lh_fold fold = {0};
    uint32_t place = lh_place_of(frames, count);
    lh_showing_of(frames, count, showing);
    for (uint32_t i = 0; i < count; i++) {
        if (showing[i] == LH_FOLD)
            lh_fold_add(&fold, &frames[i]);
        if (showing[i] != LH_SHOW)
            continue;
        add_fold(stack, &fold);
        add_frame(stack, &frames[i], i == place);
    }
    add_fold(stack, &fold);
}

static void add_all_rows(struct lh_text_stack *stack, const struct lh_frame *frames, uint32_t count)
{
    uint32_t place = lh_place_of(frames, count);
    for (uint32_t i = 0; i < count; i++)
        add_frame(stack, &frames[i], i == place);
}

/* The widest that a column may be: on a terminal a part of its width. */
static size_t most_of(const struct lh_text_stack *stack, int cell)
{
    static const size_t tenths[] = {[CELL_WHERE] = 4, [CELL_WHAT] = 3};
    size_t most = stack->style->width * tenths[cell] / 10;
    return most > 0 && most < PADDING_MAX ? most : PADDING_MAX;
}

/* A cell with nothing behind it needs no column. */
static size_t column_width(const struct lh_text_stack *stack, int cell)
{
    size_t widest = 0;
    size_t most = most_of(stack, cell);
    for (uint32_t i = 0; i < stack->row_count; i++) {
        const struct row *row = &stack->rows[i];
        size_t width = lh_text_width(row->cells[cell]);
        if (!row->folded && row->cells[cell + 1][0] != '\0' && width > widest)
            widest = width;
    }
    return widest < most ? widest : most;
}

/* On a terminal the end of a long path says more than what comes behind it. */
static void shorten_path(const struct lh_text_stack *stack, struct row *row, size_t width)
{
    char path[CELL_BYTES];
    const char *tail = path;
    struct lh_text text;
    (void)lh_text_copy(path, sizeof(path), row->cells[CELL_WHERE]);
    if (stack->style->width == 0 || row->folded || width < 8 ||
        lh_text_width(row->cells[CELL_WHERE]) <= width)
        return;
    while (lh_text_width(tail) > width - 3 || (*tail & 0xc0) == 0x80)
        tail++;
    cell_init(row, CELL_WHERE, &text);
    lh_text_string(&text, "...");
    lh_text_string(&text, tail);
}

static void add_padding(struct lh_text *text, const char *cell, size_t width)
{
    for (size_t at = lh_text_width(cell); at < width; at++)
        lh_text_char(text, ' ');
    for (int i = 0; i < GAP; i++)
        lh_text_char(text, ' ');
}

/* The line to look at stands out as a whole. */
static void add_row(struct lh_text *text, const struct lh_text_style *style, const struct row *row,
                    size_t where_width, size_t what_width)
{
    const char *colour = row->folded ? style->faint : row->place ? style->user : style->place;
    lh_text_format(text, "%s%s %s%s%s", row->place ? style->user : "", row->place ? ">" : " ",
                   row->place ? "" : colour, row->cells[CELL_WHERE],
                   row->place ? "" : style->reset);
    if (!row->folded) {
        if (where_width > 0)
            add_padding(text, row->cells[CELL_WHERE], where_width);
        lh_text_string(text, row->cells[CELL_WHAT]);
        if (row->cells[CELL_MORE][0] != '\0')
            add_padding(text, row->cells[CELL_WHAT], what_width);
        lh_text_string(text, row->cells[CELL_MORE]);
    }
    lh_text_format(text, "%s\n", row->place ? style->reset : "");
}

void lh_text_stack_add(struct lh_text_stack *stack, struct lh_text *text,
                       const struct lh_frame *frames, uint32_t frame_count)
{
    stack->row_count = 0;
    if (frame_count > LH_STACK_FRAMES_MAX)
        frame_count = LH_STACK_FRAMES_MAX;
    if (stack->header->options.stack_full != 0)
        add_all_rows(stack, frames, frame_count);
    else
        add_rows_folded(stack, frames, frame_count);
    if (frame_count > 0)
        add_cut(stack, (enum lh_cut)frames[frame_count - 1].cut);

    size_t where_width = column_width(stack, CELL_WHERE);
    size_t what_width = column_width(stack, CELL_WHAT);
    if (what_width < LEAST_FUNCTION)
        what_width = LEAST_FUNCTION;
    for (uint32_t i = 0; i < stack->row_count; i++)
        shorten_path(stack, &stack->rows[i], where_width);
    for (uint32_t i = 0; i < stack->row_count; i++)
        add_row(text, stack->style, &stack->rows[i], where_width, what_width);
}

bool lh_text_stack_alike(struct lh_text_stack *stack, const struct lh_sample *a,
                         const struct lh_sample *b)
{
    const size_t size = 64u << 10;
    bool hint_given = stack->hint_given;
    struct lh_text texts[2];
    char *bytes = malloc(2 * size);
    if (bytes == NULL)
        return false;
    stack->hint_given = true; /* it would be in one of them */
    for (int i = 0; i < 2; i++) {
        lh_text_init(&texts[i], bytes + (size_t)i * size, size);
        lh_text_stack_add(stack, &texts[i], (i == 0 ? a : b)->frames,
                          (i == 0 ? a : b)->frame_count);
    }
    stack->hint_given = hint_given;
    bool alike = strcmp(texts[0].buf, texts[1].buf) == 0;
    free(bytes);
    return alike;
}

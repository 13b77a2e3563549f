/* Stacks in text reports: aligned columns, frames of libraries folded. Runs on the threads of the
 * rings. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "collect/owner.h"
#include "collect/text_parts.h"

#define CELL_BYTES     192
#define GAP            2  /* spaces between columns */
#define MOST_PADDING   40 /* a longer cell does not push the column of the others */
#define LEAST_FUNCTION 17 /* so that short reports line up with one another */
#define MOST_PACKAGES  16 /* told apart in one run of folded frames */
#define NAMED_PACKAGES 3

enum { CELL_WHERE, CELL_WHAT, CELL_MORE, CELL_COUNT };

struct row {
    bool folded; /* one cell, for a run of frames */
    bool user;   /* the first frame of the user's own */
    char cells[CELL_COUNT][CELL_BYTES];
};

struct fold {
    uint32_t frames;
    uint32_t packages;
    struct {
        const char *name;
        size_t length;
        uint32_t frames;
    } package[MOST_PACKAGES];
};

struct lh_text_stack {
    const struct lh_ring *header;
    const struct lh_colours *colours;
    struct lh_source *source;
    bool hint_given; /* of how to see folded frames */
    bool hint_for_node_given;
    uint32_t row_count;
    struct row rows[LH_STACK_FRAMES_MAX + 2]; /* and what is no frame */
};

struct lh_text_stack *lh_text_stack_new(const struct lh_ring *header,
                                        const struct lh_colours *colours)
{
    struct lh_text_stack *stack = calloc(1, sizeof(*stack));
    if (stack == NULL)
        return NULL;
    stack->header = header;
    stack->colours = colours;
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
    row->user = false;
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
    const char *slash = frame->module != NULL ? strrchr(frame->module, '/') : NULL;
    if (slash != NULL)
        return slash + 1;
    return frame->module != NULL ? frame->module : "?";
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
        add_string(&text, frame->function);
        if (frame->inlined)
            lh_text_string(&text, " (inlined)");
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
    if (frame->lang != LH_LANG_NATIVE && frame->file != NULL)
        lh_source_line(stack->source, frame->file, frame->line, &text);
    else if (frame->function != NULL && frame->module != NULL)
        add_string(&text, module_name(frame));
}

static void add_frame(struct lh_text_stack *stack, const struct lh_frame *frame)
{
    struct row *row = new_row(stack);
    row->user = frame->user;
    fill_where(stack, row, frame);
    fill_what(row, frame);
    fill_more(stack, row, frame);
}

static void fold_frame(struct fold *fold, const struct lh_frame *frame)
{
    size_t length;
    const char *name = lh_frame_package(frame, &length);
    uint32_t i = 0;
    fold->frames++;
    while (i < fold->packages &&
           (fold->package[i].length != length || strncmp(fold->package[i].name, name, length) != 0))
        i++;
    if (i == MOST_PACKAGES || length == 0)
        return;
    if (i == fold->packages) {
        fold->package[i].name = name;
        fold->package[i].length = length;
        fold->package[i].frames = 0;
        fold->packages++;
    }
    fold->package[i].frames++;
}

/* The package with the most frames that is not named yet; the first of equals. */
static uint32_t top_package(const struct fold *fold)
{
    uint32_t top = 0;
    for (uint32_t i = 1; i < fold->packages; i++)
        if (fold->package[i].frames > fold->package[top].frames)
            top = i;
    return top;
}

static void add_fold(struct lh_text_stack *stack, struct fold *fold)
{
    struct lh_text text;
    if (fold->frames == 0)
        return;
    struct row *row = new_row(stack);
    row->folded = true;
    cell_init(row, CELL_WHERE, &text);
    lh_text_format(&text, "... %" PRIu32 " frame%s", fold->frames, fold->frames == 1 ? "" : "s");
    for (uint32_t n = 0; n < NAMED_PACKAGES && n < fold->packages; n++) {
        uint32_t top = top_package(fold);
        lh_text_string(&text, n == 0 ? " of " : ", ");
        lh_text_clean(&text, fold->package[top].name, fold->package[top].length);
        fold->package[top].frames = 0;
    }
    if (!stack->hint_given)
        lh_text_string(&text, " (--stack full shows them)");
    stack->hint_given = true;
    *fold = (struct fold){0};
}

/* A line that is no frame. */
static void add_remark(struct lh_text_stack *stack, struct lh_text *text)
{
    struct row *row = new_row(stack);
    row->folded = true;
    cell_init(row, CELL_WHERE, text);
}

static void add_cut(struct lh_text_stack *stack)
{
    struct lh_text text;
    add_remark(stack, &text);
    lh_text_format(&text, "... the copy of the stack ends here (LOOPHOUND_STACK_BYTES=%" PRIu32 ")",
                   stack->header->options.stack_bytes);
}

/* V8 was entered, and none of its functions has a name. */
static void add_hint_for_node(struct lh_text_stack *stack, const struct lh_frame *frames,
                              uint32_t count)
{
    struct lh_text text;
    uint32_t i = 0;
    while (i < count &&
           (frames[i].function == NULL || strcmp(frames[i].function, "Builtins_JSEntry") != 0))
        i++;
    if (i == count || stack->hint_for_node_given)
        return;
    stack->hint_for_node_given = true;
    add_remark(stack, &text);
    lh_text_string(&text, "... node --perf-basic-prof gives JavaScript functions their names");
}

/* Is there Python or JavaScript? Then the machine code below says little. */
static bool has_script(const struct lh_frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (frames[i].lang == LH_LANG_PYTHON ||
            (frames[i].lang == LH_LANG_JIT && frames[i].file != NULL))
            return true;
    return false;
}

/* Up to the first frame of the user's own the way into the call is told in full; from there on only
 * what the user wrote. The interpreter's own C says nothing that its Python frames do not. */
static void add_rows_folded(struct lh_text_stack *stack, const struct lh_frame *frames,
                            uint32_t count)
{
    struct fold fold = {0};
    uint32_t first_user = lh_first_of_user(frames, count);
    for (uint32_t i = 0; i < count; i++) {
        enum lh_owner owner = lh_frame_owner(&frames[i]);
        bool outside = i > first_user;
        if (owner == LH_OWNER_INTERPRETER || (outside && owner == LH_OWNER_LIBC))
            continue;
        if (outside && (owner == LH_OWNER_LIBRARY || owner == LH_OWNER_RUNTIME)) {
            fold_frame(&fold, &frames[i]);
            continue;
        }
        add_fold(stack, &fold);
        add_frame(stack, &frames[i]);
    }
    add_fold(stack, &fold);
}

/* A cell with nothing behind it needs no column. */
static size_t column_width(const struct lh_text_stack *stack, int cell)
{
    size_t widest = 0;
    for (uint32_t i = 0; i < stack->row_count; i++) {
        const struct row *row = &stack->rows[i];
        size_t width = lh_text_width(row->cells[cell]);
        if (!row->folded && row->cells[cell + 1][0] != '\0' && width > widest)
            widest = width;
    }
    return widest < MOST_PADDING ? widest : MOST_PADDING;
}

static void add_padding(struct lh_text *text, const char *cell, size_t width)
{
    for (size_t at = lh_text_width(cell); at < width; at++)
        lh_text_char(text, ' ');
    for (int i = 0; i < GAP; i++)
        lh_text_char(text, ' ');
}

static void add_row(struct lh_text *text, const struct lh_colours *colours, const struct row *row,
                    size_t where_width, size_t what_width)
{
    lh_text_format(text, "%s %s%s%s", row->user ? ">" : " ",
                   row->folded ? colours->faint : colours->place, row->cells[CELL_WHERE],
                   colours->reset);
    if (!row->folded) {
        if (where_width > 0)
            add_padding(text, row->cells[CELL_WHERE], where_width);
        lh_text_string(text, row->cells[CELL_WHAT]);
        if (row->cells[CELL_MORE][0] != '\0')
            add_padding(text, row->cells[CELL_WHAT], what_width);
        lh_text_string(text, row->cells[CELL_MORE]);
    }
    lh_text_char(text, '\n');
}

void lh_text_stack_add(struct lh_text_stack *stack, struct lh_text *text,
                       const struct lh_frame *frames, uint32_t frame_count)
{
    stack->row_count = 0;
    if (frame_count > LH_STACK_FRAMES_MAX)
        frame_count = LH_STACK_FRAMES_MAX;
    bool script = has_script(frames, frame_count);
    if (stack->header->options.stack_full != 0 || !script)
        for (uint32_t i = 0; i < frame_count; i++)
            add_frame(stack, &frames[i]);
    else
        add_rows_folded(stack, frames, frame_count);
    if (!script)
        add_hint_for_node(stack, frames, frame_count);
    if (frame_count > 0 && frames[frame_count - 1].cut)
        add_cut(stack);

    size_t where_width = column_width(stack, CELL_WHERE);
    size_t what_width = column_width(stack, CELL_WHAT);
    if (what_width < LEAST_FUNCTION)
        what_width = LEAST_FUNCTION;
    for (uint32_t i = 0; i < stack->row_count; i++)
        add_row(text, stack->colours, &stack->rows[i], where_width, what_width);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A call tree by time, from the outermost of the user's functions to the calls: `report --tree`.
 *
 * A row is a function of the user's, and below it what it called: other functions of the user's,
 * and in the end what blocked, with its line. Frames of libraries, interpreters and the loop are
 * no rows. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/export/formats.h"
#include "cli/terminal.h"
#include "collect/sink/text_fit.h"
#include "collect/sink/text_parts.h"
#include "common/event.h"
#include "common/units.h"

#define LINE_BYTES  1024
#define INDENT_MAX  40 /* columns: what is deeper stands there, too */
#define NODES_LEAST 256u
#define SMALL_PART  100 /* this part of the whole is not shown */

/* Indexes of nodes; 0 is the root, and stands for none. */
struct node {
    uint32_t first; /* child */
    uint32_t next;  /* sibling */
    uint32_t file;  /* strings of the model; of a leaf also what blocked and where */
    uint32_t function;
    uint32_t call; /* of a leaf; LH_NO_CALL: it is none */
    uint32_t line;
    uint32_t source;
    uint64_t ns;
    uint64_t count;
};

#define LH_NO_CALL UINT32_MAX

struct tree {
    const struct lh_export_model *model;
    struct node *nodes;
    uint32_t count;
    uint32_t room;
    FILE *to;
    size_t columns; /* of its terminal; 0: it is none */
};

static bool is_same(const struct node *a, const struct node *b)
{
    return a->call == b->call && a->function == b->function && a->file == b->file &&
           a->line == b->line;
}

/* 0: no memory. */
static uint32_t add_node(struct tree *tree, uint32_t parent, const struct node *wanted)
{
    if (tree->count == tree->room) {
        uint32_t room = tree->room > 0 ? 2 * tree->room : NODES_LEAST;
        struct node *nodes = reallocarray(tree->nodes, room, sizeof(*nodes));
        if (nodes == NULL)
            return 0;
        tree->nodes = nodes;
        tree->room = room;
    }
    uint32_t number = tree->count++;
    tree->nodes[number] = *wanted;
    if (number != parent) { /* the root is nobody's child */
        tree->nodes[number].next = tree->nodes[parent].first;
        tree->nodes[parent].first = number;
    }
    return number;
}

static uint32_t child_of(struct tree *tree, uint32_t parent, const struct node *wanted)
{
    uint32_t child = tree->nodes[parent].first;
    while (child != 0 && !is_same(&tree->nodes[child], wanted))
        child = tree->nodes[child].next;
    return child != 0 ? child : add_node(tree, parent, wanted);
}

static bool is_users(const struct lh_export_frame *frame)
{
    return frame->user || frame->kind == LH_FRAME_USER || frame->kind == LH_FRAME_OWN_NATIVE;
}

/* The innermost one that a reader looks at; 0: no frame is the user's. */
static uint32_t users_end(const struct lh_export_model *model, uint32_t stack)
{
    uint32_t any = 0;
    for (; stack != 0; stack = model->nodes[stack].outer) {
        const struct lh_export_frame *frame = &model->frames[model->nodes[stack].frame];
        if (frame->user)
            return stack;
        if (any == 0 && is_users(frame))
            any = stack;
    }
    return any;
}

static void weigh(struct tree *tree, uint32_t number, uint64_t ns, uint64_t count)
{
    tree->nodes[number].ns += ns;
    tree->nodes[number].count += count;
}

/* The way in to the innermost frame of the user's. 0: no memory; the root: there is none. */
static int go_in(struct tree *tree, uint32_t end, uint64_t ns, uint64_t count, uint32_t *number)
{
    uint32_t way[LH_STACK_FRAMES_MAX];
    const struct lh_export_model *model = tree->model;
    uint32_t length = 0;
    for (; end != 0 && length < LH_STACK_FRAMES_MAX; end = model->nodes[end].outer)
        if (is_users(&model->frames[model->nodes[end].frame]))
            way[length++] = model->nodes[end].frame;
    while (length > 0) {
        const struct lh_export_frame *frame = &model->frames[way[--length]];
        const struct node wanted = {
            .file = frame->file, .function = frame->name, .call = LH_NO_CALL};
        *number = child_of(tree, *number, &wanted);
        if (*number == 0)
            return -ENOMEM;
        weigh(tree, *number, ns, count);
    }
    return 0;
}

/* Some time of an event. Of what happened outside of the user's code the place is all there is. */
static int add_part(struct tree *tree, const struct lh_export_event *event,
                    const struct lh_export_part *part, uint64_t count)
{
    const struct lh_export_model *model = tree->model;
    uint32_t number = 0;
    uint32_t end = users_end(model, part->stack);
    struct node leaf = {.call = event->call};
    if (end != 0) {
        const struct lh_export_frame *frame = &model->frames[model->nodes[end].frame];
        leaf.file = frame->file;
        leaf.line = frame->line;
        leaf.source = frame->source;
    } else if (event->place != LH_EXPORT_NO_PLACE) {
        leaf.file = model->places[event->place].file;
        leaf.line = model->places[event->place].line;
        leaf.function = model->places[event->place].function;
        leaf.source = model->places[event->place].source;
    }
    weigh(tree, 0, part->ns, count);
    if (go_in(tree, end, part->ns, count, &number) != 0)
        return -ENOMEM;
    number = child_of(tree, number, &leaf);
    if (number == 0)
        return -ENOMEM;
    weigh(tree, number, part->ns, count);
    return 0;
}

static int add_event(struct tree *tree, const struct lh_export_event *event)
{
    int error = 0;
    for (uint32_t i = 0; i < event->part_count && error == 0; i++)
        error = add_part(tree, event, &tree->model->parts[event->first_part + i],
                         i == 0 ? event->count : 0);
    return error;
}

static void put_string(const struct tree *tree, struct lh_text *line, uint32_t string)
{
    const char *text = lh_export_text(tree->model, string);
    lh_text_clean(line, text, strlen(text));
}

static void put_file(const struct tree *tree, struct lh_text *line, const struct node *node)
{
    const char *file = lh_export_string(tree->model, node->file);
    if (file == NULL)
        return;
    const char *relative = lh_export_relative(tree->model, file);
    lh_text_string(line, "  ");
    lh_text_clean(line, relative, strlen(relative));
    if (node->line != 0)
        lh_text_format(line, ":%" PRIu32, node->line);
}

static void put_leaf(const struct tree *tree, struct lh_text *line, const struct node *node)
{
    const char *what = lh_export_what(tree->model, node->call);
    lh_text_clean(line, what, strlen(what));
    if (node->count > 1)
        lh_text_format(line, ", %" PRIu64 " times", node->count);
    put_file(tree, line, node);
    if (node->function != 0) {
        lh_text_char(line, ' ');
        put_string(tree, line, node->function);
    }
    if (node->source != 0) {
        lh_text_string(line, "  ");
        put_string(tree, line, node->source);
    }
}

static void put_figures(const struct tree *tree, struct lh_text *line, uint64_t ns)
{
    uint64_t all = tree->nodes[0].ns;
    lh_text_format(line, "%10.1f ms %4.0f %%  ", (double)ns / LH_NS_PER_MS,
                   all > 0 ? 100 * (double)ns / (double)all : 0.0);
}

static void begin_line(struct lh_text *line, char buf[LINE_BYTES], const struct tree *tree,
                       uint64_t ns, uint32_t depth)
{
    uint32_t indent = 2 * depth < INDENT_MAX ? 2 * depth : INDENT_MAX;
    lh_text_init(line, buf, LINE_BYTES);
    put_figures(tree, line, ns);
    lh_text_format(line, "%*s", (int)indent, "");
}

static void end_line(struct lh_text *line, const struct tree *tree)
{
    lh_text_cut(line, 0, tree->columns);
    fprintf(tree->to, "%s\n", line->buf);
}

static void print_node(const struct tree *tree, const struct node *node, uint32_t depth)
{
    char buf[LINE_BYTES];
    struct lh_text line;
    begin_line(&line, buf, tree, node->ns, depth);
    if (node->call != LH_NO_CALL) {
        put_leaf(tree, &line, node);
    } else {
        put_string(tree, &line, node->function);
        put_file(tree, &line, node);
    }
    end_line(&line, tree);
}

static bool is_shown(const struct tree *tree, const struct node *node)
{
    return tree->model->top == 0 || node->ns >= tree->nodes[0].ns / SMALL_PART;
}

/* What is too small for rows of its own, in one. */
static void print_rest(const struct tree *tree, uint32_t first, uint32_t depth)
{
    char buf[LINE_BYTES];
    struct lh_text line;
    uint64_t ns = 0;
    uint32_t count = 0;
    for (uint32_t child = first; child != 0; child = tree->nodes[child].next) {
        if (is_shown(tree, &tree->nodes[child]))
            continue;
        ns += tree->nodes[child].ns;
        count++;
    }
    if (count == 0)
        return;
    begin_line(&line, buf, tree, ns, depth);
    lh_text_format(&line, "... %" PRIu32 " more (--top 0 shows them)", count);
    end_line(&line, tree);
}

/* The heaviest of the children first. */
static void sort_children(struct tree *tree, uint32_t parent)
{
    uint32_t sorted = 0;
    uint32_t next;
    for (uint32_t child = tree->nodes[parent].first; child != 0; child = next) {
        uint32_t *link = &sorted;
        next = tree->nodes[child].next;
        while (*link != 0 && tree->nodes[*link].ns >= tree->nodes[child].ns)
            link = &tree->nodes[*link].next;
        tree->nodes[child].next = *link;
        *link = child;
    }
    tree->nodes[parent].first = sorted;
}

/* No deeper than a stack. */
static void print_children(struct tree *tree, uint32_t parent, uint32_t depth)
{
    sort_children(tree, parent);
    for (uint32_t child = tree->nodes[parent].first; child != 0; child = tree->nodes[child].next) {
        if (!is_shown(tree, &tree->nodes[child]))
            continue;
        print_node(tree, &tree->nodes[child], depth);
        print_children(tree, child, depth + 1);
    }
    print_rest(tree, tree->nodes[parent].first, depth);
}

int lh_export_tree(const struct lh_export_model *model, FILE *to)
{
    struct tree tree = {.model = model, .to = to, .columns = lh_terminal_columns(to)};
    const struct node root = {.call = LH_NO_CALL};
    int error = 0;
    (void)add_node(&tree, 0, &root);
    for (uint32_t i = 0; i < model->event_count && error == 0 && tree.nodes != NULL; i++)
        if (!model->events[i].suppressed)
            error = add_event(&tree, &model->events[i]);
    if (tree.nodes == NULL || error != 0) {
        free(tree.nodes);
        return -ENOMEM;
    }
    print_children(&tree, 0, 0);
    free(tree.nodes);
    return 0;
}

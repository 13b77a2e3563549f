/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and stacks that stand in lines of their own, by their ids. See report.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"

#define NO_FRAME UINT32_MAX

/* Of a stack its frames' numbers are kept: there may be many, of few different frames. */
struct stack {
    size_t first; /* in book->numbers */
    uint32_t count;
    bool cut;
    bool looked;  /* for its place */
    json_t *kept; /* the frames of the place, which its strings belong to */
    struct lh_place place;
};

struct lh_book {
    struct lh_symbol_files *files;
    json_t *frame_numbers; /* id: its index in `frames` */
    json_t *stack_numbers; /* id: its index in `stacks` */
    json_t *frames;
    struct stack *stacks;
    size_t stack_count;
    uint32_t *numbers;
    size_t number_count;
    size_t number_room;
    uint64_t missing;
};

struct lh_book *lh_book_new(struct lh_symbol_files *files)
{
    struct lh_book *book = calloc(1, sizeof(*book));
    if (book == NULL)
        return NULL;
    book->files = files;
    book->frame_numbers = json_object();
    book->stack_numbers = json_object();
    book->frames = json_array();
    if (book->frame_numbers != NULL && book->stack_numbers != NULL && book->frames != NULL)
        return book;
    lh_book_free(book);
    return NULL;
}

void lh_book_free(struct lh_book *book)
{
    if (book == NULL)
        return;
    for (size_t i = 0; i < book->stack_count; i++)
        json_decref(book->stacks[i].kept);
    json_decref(book->frame_numbers);
    json_decref(book->stack_numbers);
    json_decref(book->frames);
    free(book->stacks);
    free(book->numbers);
    free(book);
}

static void add_frame(struct lh_book *book, json_t *line, const char *id)
{
    if (json_object_get(book->frame_numbers, id) != NULL)
        return;
    json_t *number = json_integer((json_int_t)json_array_size(book->frames));
    json_object_set_new(book->frame_numbers, id, number);
    json_array_append(book->frames, line);
    json_object_del(line, "v");
    json_object_del(line, "type");
    json_object_del(line, "id");
}

static bool make_room(struct lh_book *book, size_t count)
{
    size_t needed = book->number_count + count;
    struct stack *stacks = reallocarray(book->stacks, book->stack_count + 1, sizeof(*stacks));
    if (stacks == NULL)
        return false;
    book->stacks = stacks;
    if (needed <= book->number_room)
        return true;
    uint32_t *numbers = reallocarray(book->numbers, 2 * needed, sizeof(*numbers));
    if (numbers == NULL)
        return false;
    book->numbers = numbers;
    book->number_room = 2 * needed;
    return true;
}

/* Those of a stack that has been read: the outer ones are the last. */
static void put_outer(struct lh_book *book, const json_t *line, struct stack *stack)
{
    const char *id = lh_string_of(line, "outer");
    const json_t *number = id != NULL ? json_object_get(book->stack_numbers, id) : NULL;
    json_int_t count = json_integer_value(json_object_get(line, "outer_frames"));
    book->missing += id != NULL && number == NULL;
    if (number == NULL || count <= 0)
        return;
    const struct stack *outer = &book->stacks[json_integer_value(number)];
    uint32_t taken = count < outer->count ? (uint32_t)count : outer->count;
    if (taken == 0 || stack->count + taken > LH_STACK_FRAMES_MAX || !make_room(book, taken))
        return;
    outer = &book->stacks[json_integer_value(number)];
    memcpy(book->numbers + book->number_count,
           book->numbers + outer->first + (outer->count - taken), taken * sizeof(*book->numbers));
    book->number_count += taken;
    stack->count += taken;
}

/* A frame whose line is not there counts as missing, and its stack goes on without it. */
static void put_numbers(struct lh_book *book, const json_t *frames, struct stack *stack)
{
    for (size_t i = 0; i < json_array_size(frames); i++) {
        const char *id = json_string_value(json_array_get(frames, i));
        const json_t *number = id != NULL ? json_object_get(book->frame_numbers, id) : NULL;
        if (number == NULL) {
            book->missing++;
            continue;
        }
        book->numbers[book->number_count++] = (uint32_t)json_integer_value(number);
        stack->count++;
    }
}

static void add_stack(struct lh_book *book, const json_t *line, const char *id)
{
    const json_t *frames = json_object_get(line, "frames");
    if (json_object_get(book->stack_numbers, id) != NULL ||
        !make_room(book, json_array_size(frames)))
        return;
    struct stack stack = {.first = book->number_count,
                          .cut = json_is_true(json_object_get(line, "cut"))};
    put_numbers(book, frames, &stack);
    put_outer(book, line, &stack);
    book->stacks[book->stack_count] = stack;
    json_object_set_new(book->stack_numbers, id, json_integer((json_int_t)book->stack_count++));
}

bool lh_book_take(struct lh_book *book, json_t *line)
{
    const char *type = lh_string_of(line, "type");
    const char *id = lh_string_of(line, "id");
    bool frame = type != NULL && strcmp(type, "frame") == 0;
    bool stack = type != NULL && strcmp(type, "stack") == 0;
    if (frame && id != NULL)
        add_frame(book, line, id);
    if (stack && id != NULL)
        add_stack(book, line, id);
    return frame || stack;
}

static struct stack *find(struct lh_book *book, const json_t *part)
{
    const char *id = lh_string_of(part, "stack_id");
    const json_t *number = id != NULL ? json_object_get(book->stack_numbers, id) : NULL;
    if (number != NULL)
        return &book->stacks[json_integer_value(number)];
    book->missing += id != NULL;
    return NULL;
}

/* With all members that a frame of a stack has, null or not. */
static json_t *whole_frame(const json_t *frame)
{
    static const char *const always[] = {"lang", "function", "file", "line", "module", "offset"};
    json_t *made = json_object();
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        json_object_set_new(made, always[i], json_null());
    json_object_update(made, (json_t *)frame);
    return made;
}

/* As an event has it that has its stacks inside. */
static json_t *whole(const struct lh_book *book, const struct stack *stack)
{
    json_t *frames = json_array();
    for (uint32_t i = 0; i < stack->count; i++)
        json_array_append_new(
            frames, whole_frame(json_array_get(book->frames, book->numbers[stack->first + i])));
    if (stack->cut && stack->count > 0)
        json_object_set_new(json_array_get(frames, stack->count - 1), "cut", json_true());
    return frames;
}

/* "stack_id" becomes "stack", of an event, its holder, or a sample. */
static void put_stack(struct lh_book *book, json_t *part)
{
    const struct stack *stack = find(book, part);
    if (stack == NULL)
        return;
    json_object_set_new(part, "stack", whole(book, stack));
    json_object_del(part, "stack_id");
}

static void put_stacks_of(struct lh_book *book, const json_t *samples)
{
    for (size_t i = 0; i < json_array_size(samples); i++)
        put_stack(book, json_array_get(samples, i));
}

void lh_book_put_stacks(struct lh_book *book, json_t *event)
{
    put_stack(book, event);
    put_stack(book, json_object_get(event, "holder"));
    put_stacks_of(book, json_object_get(event, "samples"));
    put_stacks_of(book, json_object_get(event, "groups"));
}

/* Is there a frame that may get a name? */
static bool is_incomplete(const struct lh_book *book, const struct stack *stack)
{
    uint32_t i = 0;
    while (i < stack->count &&
           json_object_get(json_array_get(book->frames, book->numbers[stack->first + i]),
                           "build_id") == NULL)
        i++;
    return i < stack->count;
}

/* The frames as all stacks share them, to be looked at only. */
static json_t *shared(const struct lh_book *book, const struct stack *stack)
{
    json_t *frames = json_array();
    for (uint32_t i = 0; i < stack->count; i++)
        json_array_append(frames, json_array_get(book->frames, book->numbers[stack->first + i]));
    return frames;
}

/* The place is asked for once a stack, however many events have it. */
static const struct lh_place *place_of(struct lh_book *book, struct stack *stack)
{
    if (!stack->looked) {
        bool incomplete = is_incomplete(book, stack);
        json_t *frames = incomplete ? whole(book, stack) : shared(book, stack);
        if (incomplete)
            lh_complete_stack(frames, false, book->files);
        stack->looked = true;
        stack->kept = lh_stack_place(frames, &stack->place);
        json_decref(frames);
    }
    return stack->kept != NULL ? &stack->place : NULL;
}

/* What stands for all of an event: its stack, or of a stall the heaviest group of its samples. */
static const json_t *main_part(const json_t *event)
{
    static const char *const parts[] = {"groups", "samples"}; /* of old, there were no groups */
    const json_t *part = event;
    for (size_t i = 0; i < 2 && json_object_get(part, "stack") == NULL &&
                       json_object_get(part, "stack_id") == NULL;
         i++) {
        const json_t *first = json_array_get(json_object_get(event, parts[i]), 0);
        part = first != NULL ? first : event;
    }
    return part;
}

const struct lh_place *lh_book_place(struct lh_book *book, const json_t *event)
{
    static struct lh_place place; /* its strings are the event's */
    const json_t *part = main_part(event);
    json_t *frames = json_object_get(part, "stack");
    if (frames == NULL) {
        struct stack *stack = find(book, part);
        return stack != NULL ? place_of(book, stack) : NULL;
    }
    lh_complete_stack(frames, false, book->files);
    json_t *kept = lh_stack_place(frames, &place);
    json_decref(kept);
    return kept != NULL ? &place : NULL;
}

uint64_t lh_book_missing(const struct lh_book *book)
{
    return book->missing;
}

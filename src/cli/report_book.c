/* SPDX-License-Identifier: Apache-2.0 */
/* Frames and stacks that stand in lines of their own, by their ids. See report.h. */
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "cli/report_ids.h"

#define NO_STACK   UINT32_MAX
#define FRAMES_MAX (1u << 24)
#define LINKS      16u /* stacks that go on in one another; then the frames are copied */

/* A frame's. There may be many millions of them. */
struct number {
    uint8_t bytes[3];
};

/* Of a stack the numbers of its frames are kept, of its outer ones only whose they are: there may
 * be many, of few different frames. */
struct stack {
    uint32_t first; /* in book->numbers, of its own frames */
    uint32_t outer; /* the stack whose outermost ones follow; NO_STACK: none */
    uint16_t own;
    uint16_t total;
    uint8_t links;
    bool cut;
    bool looked;    /* for its place: these frames */
    uint32_t place; /* LH_NO_NUMBER: there is none */
    uint32_t api;
};

struct lh_book {
    struct lh_symbol_files *files;
    struct lh_ids frame_numbers; /* indexes in `frames` and `stacks` */
    struct lh_ids stack_numbers;
    json_t *frames;
    struct stack *stacks;
    uint32_t stack_count;
    uint32_t stack_room;
    struct number *numbers;
    uint32_t number_count;
    uint32_t number_room;
    uint32_t frame_limit;
    uint32_t stack_limit;
    uint64_t missing;
};

struct lh_book *lh_book_new(struct lh_symbol_files *files)
{
    struct lh_book *book = calloc(1, sizeof(*book));
    if (book == NULL)
        return NULL;
    book->files = files;
    book->frame_limit = FRAMES_MAX;
    book->stack_limit = UINT32_MAX;
    book->frames = json_array();
    if (book->frames != NULL)
        return book;
    lh_book_free(book);
    return NULL;
}

void lh_book_free(struct lh_book *book)
{
    if (book == NULL)
        return;
    lh_ids_free(&book->frame_numbers);
    lh_ids_free(&book->stack_numbers);
    json_decref(book->frames);
    free(book->stacks);
    free(book->numbers);
    free(book);
}

void lh_book_limit(struct lh_book *book, uint32_t frames, uint32_t stacks)
{
    book->frame_limit = frames < FRAMES_MAX ? frames : FRAMES_MAX;
    book->stack_limit = stacks;
}

static void add_frame(struct lh_book *book, json_t *line, const char *id)
{
    size_t count = json_array_size(book->frames);
    if (lh_ids_find(&book->frame_numbers, id) != LH_NO_NUMBER || count >= book->frame_limit ||
        !lh_ids_add(&book->frame_numbers, id, (uint32_t)count))
        return;
    json_array_append(book->frames, line);
    json_object_del(line, "v");
    json_object_del(line, "type");
    json_object_del(line, "id");
}

/* Half as much again as is needed: what is not used is not there. */
static bool make_room(void **array, uint32_t *room, uint64_t needed, size_t size)
{
    uint64_t wanted = needed + needed / 2;
    if (needed <= *room)
        return true;
    void *wider = wanted < UINT32_MAX ? reallocarray(*array, wanted, size) : NULL;
    if (wider == NULL)
        return false;
    *array = wider;
    *room = (uint32_t)wanted;
    return true;
}

static bool make_room_for_numbers(struct lh_book *book, uint64_t count)
{
    return make_room((void **)&book->numbers, &book->number_room, book->number_count + count,
                     sizeof(*book->numbers));
}

/* The number of its frame at `index`, below stack->total. */
static uint32_t number_at(const struct lh_book *book, const struct stack *stack, uint32_t index)
{
    while (index >= stack->own) {
        const struct stack *outer = &book->stacks[stack->outer];
        index = outer->total - (stack->total - stack->own) + (index - stack->own);
        stack = outer;
    }
    const uint8_t *bytes = book->numbers[stack->first + index].bytes;
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
}

static void put_number(struct lh_book *book, uint32_t number)
{
    book->numbers[book->number_count++] =
        (struct number){{(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16)}};
}

/* Those of a stack that has been read: the outer ones are the last. */
static void put_outer(struct lh_book *book, const json_t *line, struct stack *stack)
{
    const char *id = lh_string_of(line, "outer");
    uint32_t number = id != NULL ? lh_ids_find(&book->stack_numbers, id) : LH_NO_NUMBER;
    json_int_t count = json_integer_value(json_object_get(line, "outer_frames"));
    book->missing += id != NULL && number == LH_NO_NUMBER;
    if (number == LH_NO_NUMBER || count <= 0)
        return;
    const struct stack *outer = &book->stacks[number];
    uint32_t taken = count < outer->total ? (uint32_t)count : outer->total;
    if (taken == 0 || stack->own + taken > LH_STACK_FRAMES_MAX)
        return;
    if (outer->links < LINKS) {
        stack->outer = number;
        stack->links = (uint8_t)(outer->links + 1);
    } else if (make_room_for_numbers(book, taken)) {
        for (uint32_t i = outer->total - taken; i < outer->total; i++)
            put_number(book, number_at(book, outer, i));
        stack->own = (uint16_t)(stack->own + taken);
    } else {
        return;
    }
    stack->total = (uint16_t)(stack->total + taken);
}

/* A frame whose line is not there counts as missing, and its stack goes on without it. */
static void put_numbers(struct lh_book *book, const json_t *frames, struct stack *stack)
{
    for (size_t i = 0; i < json_array_size(frames) && stack->own < UINT16_MAX; i++) {
        const char *id = json_string_value(json_array_get(frames, i));
        uint32_t number = id != NULL ? lh_ids_find(&book->frame_numbers, id) : LH_NO_NUMBER;
        if (number == LH_NO_NUMBER) {
            book->missing++;
            continue;
        }
        put_number(book, number);
        stack->own++;
    }
    stack->total = stack->own;
}

static void add_stack(struct lh_book *book, const json_t *line, const char *id)
{
    const json_t *frames = json_object_get(line, "frames");
    if (book->stack_count >= book->stack_limit ||
        lh_ids_find(&book->stack_numbers, id) != LH_NO_NUMBER ||
        !make_room_for_numbers(book, json_array_size(frames)) ||
        !make_room((void **)&book->stacks, &book->stack_room, (uint64_t)book->stack_count + 1,
                   sizeof(*book->stacks)))
        return;
    struct stack stack = {.first = book->number_count,
                          .outer = NO_STACK,
                          .cut = json_is_true(json_object_get(line, "cut"))};
    put_numbers(book, frames, &stack);
    put_outer(book, line, &stack);
    if (lh_ids_add(&book->stack_numbers, id, book->stack_count))
        book->stacks[book->stack_count++] = stack;
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

uint32_t lh_book_stack(struct lh_book *book, const json_t *part)
{
    const char *id = lh_string_of(part, "stack_id");
    uint32_t number = id != NULL ? lh_ids_find(&book->stack_numbers, id) : LH_NO_NUMBER;
    book->missing += id != NULL && number == LH_NO_NUMBER;
    return number;
}

static struct stack *find(struct lh_book *book, const json_t *part)
{
    uint32_t number = lh_book_stack(book, part);
    return number != LH_NO_NUMBER ? &book->stacks[number] : NULL;
}

static json_t *frame_at(const struct lh_book *book, const struct stack *stack, uint32_t index)
{
    return json_array_get(book->frames, number_at(book, stack, index));
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
    for (uint32_t i = 0; i < stack->total; i++)
        json_array_append_new(frames, whole_frame(frame_at(book, stack, i)));
    if (stack->cut && stack->total > 0)
        json_object_set_new(json_array_get(frames, stack->total - 1), "cut", json_true());
    return frames;
}

json_t *lh_book_frames(struct lh_book *book, uint32_t stack, bool exact)
{
    json_t *frames = whole(book, &book->stacks[stack]);
    lh_complete_stack(frames, exact, book->files);
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
    while (i < stack->total && json_object_get(frame_at(book, stack, i), "build_id") == NULL)
        i++;
    return i < stack->total;
}

/* The frames as all stacks share them, to be looked at only. */
static json_t *shared(const struct lh_book *book, const struct stack *stack)
{
    json_t *frames = json_array();
    for (uint32_t i = 0; i < stack->total; i++)
        json_array_append(frames, frame_at(book, stack, i));
    return frames;
}

/* Which frame of the stack's this is; one that was made from it is kept as one more. */
static uint32_t keep(struct lh_book *book, const struct stack *stack, json_t *frame)
{
    if (frame == NULL)
        return LH_NO_NUMBER;
    for (uint32_t i = 0; i < stack->total; i++)
        if (frame_at(book, stack, i) == frame)
            return number_at(book, stack, i);
    return json_array_append(book->frames, frame) == 0 ? (uint32_t)json_array_size(book->frames) - 1
                                                       : LH_NO_NUMBER;
}

/* The frames are looked at once a stack, however many events have it. */
static void look(struct lh_book *book, struct stack *stack)
{
    struct lh_place place;
    bool incomplete = is_incomplete(book, stack);
    json_t *frames = incomplete ? whole(book, stack) : shared(book, stack);
    if (incomplete)
        lh_complete_stack(frames, false, book->files);
    json_t *kept = lh_stack_place(frames, &place);
    stack->looked = true;
    stack->place = keep(book, stack, json_array_get(kept, 0));
    stack->api = keep(book, stack, json_array_get(kept, 1));
    json_decref(kept);
    json_decref(frames);
}

static bool find_place(struct lh_book *book, struct stack *stack, struct lh_place *place)
{
    if (!stack->looked)
        look(book, stack);
    if (stack->place == LH_NO_NUMBER)
        return false;
    lh_place_of_frames(json_array_get(book->frames, stack->place),
                       json_array_get(book->frames, stack->api), place);
    return true;
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
    static struct lh_place place; /* its strings are the event's, or the book's */
    const json_t *part = main_part(event);
    json_t *frames = json_object_get(part, "stack");
    if (frames == NULL) {
        struct stack *stack = find(book, part);
        return stack != NULL && find_place(book, stack, &place) ? &place : NULL;
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

/* The pieces that text reports are made of. Collector only; one thread a sink. */
#ifndef LH_COLLECT_TEXT_PARTS_H
#define LH_COLLECT_TEXT_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/event_json.h"
#include "common/ring.h"
#include "common/text.h"

/* Escape sequences, or empty strings where the reader is no terminal. */
struct lh_colours {
    const char *strong; /* what happened */
    const char *place;  /* where */
    const char *faint;  /* what is only hinted at */
    const char *reset;
};

/* printf into a text. */
void lh_text_format(struct lh_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds what a program says about itself: control characters, which could drive the terminal, and
 * bytes that are no UTF-8 become `?`. */
void lh_text_clean(struct lh_text *text, const char *bytes, size_t length);

/* Characters of a UTF-8 string. */
size_t lh_text_width(const char *string);

/* "300 ms", "1.5 ms", "2 s", "50 us": as a person would have asked for it. */
void lh_text_duration(struct lh_text *text, uint64_t ns);

/* " (socket to 127.0.0.1:5432)", or nothing where there is nothing to name. */
void lh_text_resource(struct lh_text *text, const struct lh_record *record);

/* Lines of Python files, with a small cache. */
struct lh_source;
struct lh_source *lh_source_new(const char *cwd); /* NULL: out of memory; `cwd` outlives it */
void lh_source_free(struct lh_source *source);

/* Adds line `line` (from 1) of `file` without the space around it, or nothing. */
void lh_source_line(struct lh_source *source, const char *file, uint32_t line,
                    struct lh_text *text);

/* A file name as short as it can be and still be found. */
void lh_text_path(struct lh_text *text, const char *file, const char *cwd);

/* The lines of a stack. */
struct lh_text_stack;
struct lh_text_stack *lh_text_stack_new(const struct lh_ring *header,
                                        const struct lh_colours *colours);
void lh_text_stack_free(struct lh_text_stack *stack);
void lh_text_stack_add(struct lh_text_stack *stack, struct lh_text *text,
                       const struct lh_frame *frames, uint32_t frame_count);

#endif

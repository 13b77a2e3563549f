/* SPDX-License-Identifier: Apache-2.0 */
/* The reports of a trial, added up. See trial_events.h. */
#include "cli/doctor/trial_events.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 10000u

static void copy(char *to, size_t size, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    snprintf(to, size, "%s", value != NULL ? value : "?");
}

static void take_frame(struct lh_trial_seen *seen, const json_t *frame)
{
    const char *lang = json_string_value(json_object_get(frame, "lang"));
    const json_t *line = json_object_get(frame, "line");
    if (lang == NULL || strcmp(lang, "python") != 0 || !json_is_integer(line))
        return;
    if (seen->python_lines++ > 0)
        return;
    copy(seen->file, sizeof(seen->file), frame, "file");
    copy(seen->function, sizeof(seen->function), frame, "function");
    seen->line = (int)json_integer_value(line);
}

static void take_stack(struct lh_trial_seen *seen, const json_t *stack)
{
    for (size_t i = 0; i < json_array_size(stack); i++)
        take_frame(seen, json_array_get(stack, i));
}

static void take_samples(struct lh_trial_seen *seen, const json_t *samples)
{
    for (size_t i = 0; i < json_array_size(samples); i++)
        take_stack(seen, json_object_get(json_array_get(samples, i), "stack"));
}

static void take(struct lh_trial_seen *seen, const json_t *event)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    if (type == NULL)
        return;
    if (strcmp(type, "loop") == 0 && seen->loops++ == 0) {
        copy(seen->thread, sizeof(seen->thread), event, "thread");
        copy(seen->how, sizeof(seen->how), event, "how");
    }
    seen->blocks += strcmp(type, "block") == 0;
    seen->stalls += strcmp(type, "stall") == 0;
    take_stack(seen, json_object_get(event, "stack"));
    take_samples(seen, json_object_get(event, "samples"));
}

void lh_trial_read(const char *path, struct lh_trial_seen *seen)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    FILE *file = fopen(path, "re");
    *seen = (struct lh_trial_seen){.loops = 0};
    for (uint32_t i = 0;
         file != NULL && i < LINES_MAX && (length = getline(&line, &size, file)) >= 0; i++) {
        json_t *event = json_loadb(line, (size_t)length, 0, NULL);
        take(seen, event);
        json_decref(event);
    }
    free(line);
    if (file != NULL)
        (void)fclose(file);
}

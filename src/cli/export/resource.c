/* SPDX-License-Identifier: Apache-2.0 */
/* Resources and labels in words. See resource.h. */
#include "cli/export/resource.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/export/tables.h"
#include "collect/sink/text_parts.h"

#define TEXT_BYTES 1024

/* What names a resource, by its kind: a string, or a number where that begins with '#'. */
static const struct {
    const char *kind;
    const char *member;
    const char *word; /* before it; NULL: the kind's */
} names[] = {
    {"socket", "peer", NULL},      {"file", "path", NULL},
    {"name", "host", NULL},        {"lock", "address", NULL},
    {"thread", "name", NULL},      {"condition", "address", NULL},
    {"futex", "address", NULL},    {"pid", "command", "child"},
    {"pid", "#pid", "child"},      {"socket", "#fd", "socket, descriptor"},
    {"file", "#fd", "descriptor"}, {"thread", "#tid", NULL},
};

/* False: the resource has no such member. */
static bool put_member(struct lh_text *text, const json_t *resource, const char *member)
{
    const json_t *value = json_object_get(resource, member[0] == '#' ? member + 1 : member);
    if (member[0] == '#' && json_is_integer(value))
        lh_text_format(text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (member[0] != '#' && json_is_string(value))
        lh_text_string(text, json_string_value(value));
    else
        return false;
    return true;
}

uint32_t lh_resource_text(struct lh_export_model *model, const json_t *resource)
{
    char room[TEXT_BYTES];
    struct lh_text text;
    const char *kind = lh_string_of(resource, "kind");
    if (kind == NULL)
        return 0;
    lh_text_init(&text, room, sizeof(room));
    if (strcmp(kind, "duration") == 0) {
        if (!json_is_number(json_object_get(resource, "ms")))
            return lh_intern(model, "for ever");
        lh_text_duration(&text, lh_model_ns(resource, "ms"));
        return lh_intern(model, room);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].kind, kind) != 0)
            continue;
        lh_text_init(&text, room, sizeof(room));
        lh_text_string(&text, names[i].word != NULL ? names[i].word : kind);
        lh_text_char(&text, ' ');
        if (put_member(&text, resource, names[i].member))
            return lh_intern(model, room);
    }
    return lh_intern(model, kind);
}

uint32_t lh_labels_text(struct lh_export_model *model, const json_t *labels)
{
    char room[TEXT_BYTES];
    struct lh_text text;
    json_t *own = (json_t *)labels; /* jansson's iterators change nothing */
    lh_text_init(&text, room, sizeof(room));
    for (void *at = json_object_iter(own); at != NULL; at = json_object_iter_next(own, at)) {
        const char *value = json_string_value(json_object_iter_value(at));
        if (text.length > 0)
            lh_text_string(&text, ", ");
        lh_text_string(&text, json_object_iter_key(at));
        lh_text_char(&text, '=');
        lh_text_string(&text, value != NULL ? value : "");
    }
    return lh_intern(model, room);
}

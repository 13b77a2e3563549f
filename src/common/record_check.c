/* SPDX-License-Identifier: Apache-2.0 */
/* What a record must be. The reader asks of its own copy: whoever wrote it, all lengths, offsets
 * and numbers are in their bounds from here on.
 *
 * Anywhere: no malloc, no system calls, no locks. */
#include "common/record.h"

#include <string.h>

static bool task_is_inside(const struct lh_python_task *task, uint32_t strings_length)
{
    return (!task->has_name || task->name < strings_length) &&
           (!task->has_coroutine || task->coroutine < strings_length);
}

static bool awaited_is_sane(const struct lh_awaited *awaited, const struct lh_record *record)
{
    uint64_t frames = 0;
    if (awaited->kind >= LH_AWAITED_COUNT || awaited->candidate_count > LH_CANDIDATES ||
        (awaited->has_coroutine && awaited->coroutine >= record->strings_length))
        return false;
    for (uint32_t i = 0; i < awaited->candidate_count; i++) {
        const struct lh_candidate *candidate = &awaited->candidates[i];
        frames += candidate->python_count;
        if (memchr(candidate->thread, '\0', sizeof(candidate->thread)) == NULL)
            return false;
    }
    return frames + (awaited->is_suspended != 0) <= record->python_count;
}

static bool js_is_sane(const struct lh_js_frame *js, uint32_t strings_length)
{
    return js->script < strings_length && js->function < strings_length &&
           js->of_class < strings_length && js->text < strings_length &&
           js->kind < LH_JS_KIND_COUNT && js->how < LH_JS_HOW_COUNT &&
           js->about < LH_JS_ABOUT_COUNT;
}

static bool strings_are_inside(const struct lh_record *record)
{
    if (record->python_count == 0 && record->js_count == 0 && !record->task.has_name &&
        !record->task.has_coroutine && !record->awaited.has_coroutine)
        return true;
    /* The last byte of the pool is a NUL, so every offset inside it starts a terminated string. */
    if (record->strings_length == 0 || record->strings[record->strings_length - 1] != '\0')
        return false;
    for (uint32_t i = 0; i < record->python_count; i++)
        if (record->python[i].file >= record->strings_length ||
            record->python[i].function >= record->strings_length)
            return false;
    for (uint32_t i = 0; i < record->js_count; i++)
        if (!js_is_sane(&record->js[i], record->strings_length))
            return false;
    return task_is_inside(&record->task, record->strings_length);
}

/* The strings that there are to be, all of them whole. */
static bool tags_are_sane(const struct lh_tags *tags)
{
    uint32_t strings = (tags->has_test != 0) + 2u * tags->label_count;
    if (tags->label_count > LH_LABELS_MAX || tags->length > sizeof(tags->text))
        return false;
    for (uint32_t i = 0; i < tags->length; i++)
        if (tags->text[i] == '\0' && strings > 0)
            strings--;
    return strings == 0;
}

static bool stall_is_sane(const struct lh_stall *stall)
{
    if (stall->call_count > LH_STALL_CALLS || stall->last_call >= lh_call_count())
        return false;
    for (uint32_t i = 0; i < stall->call_count; i++)
        if (stall->calls[i].call >= lh_call_count())
            return false;
    return true;
}

static bool resource_is_sane(const struct lh_resource *resource)
{
    if (resource->kind >= LH_RESOURCE_COUNT || resource->length > sizeof(resource->text) ||
        resource->too_count > LH_WAITED_FIRST - 1 ||
        resource->who.length > sizeof(resource->who.text))
        return false;
    for (uint32_t i = 0; i < resource->too_count; i++)
        if (resource->too[i].length > sizeof(resource->too[i].text) ||
            (resource->too[i].kind != LH_RESOURCE_SOCKET &&
             resource->too[i].kind != LH_RESOURCE_FILE))
            return false;
    return true;
}

bool lh_record_check(const struct lh_record *record)
{
    return record->type < LH_EVENT_COUNT && record->call < lh_call_count() &&
           record->group < LH_GROUP_COUNT && record->reason <= LH_REASON_STRICT &&
           record->noise < LH_NOISE_COUNT && record->found < LH_FOUND_COUNT &&
           record->no_stack < LH_NO_STACK_COUNT && resource_is_sane(&record->resource) &&
           record->stack_length <= LH_STACK_BYTES && record->python_count <= LH_PYTHON_FRAMES &&
           record->js_count <= LH_JS_FRAMES && record->strings_length <= LH_STRING_BYTES &&
           strings_are_inside(record) && awaited_is_sane(&record->awaited, record) &&
           stall_is_sane(&record->stall) && tags_are_sane(&record->tags) &&
           memchr(record->thread, '\0', sizeof(record->thread)) != NULL;
}

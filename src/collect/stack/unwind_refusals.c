/* SPDX-License-Identifier: Apache-2.0 */
/* See unwind_refusals.h. Runs in the collector, on any of its threads; no state. */
#include "collect/stack/unwind_refusals.h"

#include <stddef.h>

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info, void *argument)
{
    (void)space;
    (void)info;
    (void)argument;
}

static int find_dynamic_info(unw_addr_space_t space, unw_word_t *list, void *argument)
{
    (void)space;
    (void)list;
    (void)argument;
    return -UNW_ENOINFO;
}

static int refuse_float_register(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value,
                                 int write, void *argument)
{
    (void)space;
    (void)number;
    (void)value;
    (void)write;
    (void)argument;
    return -UNW_EBADREG;
}

static int refuse_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *argument)
{
    (void)space;
    (void)cursor;
    (void)argument;
    return -UNW_EINVAL;
}

static int refuse_name(unw_addr_space_t space, unw_word_t address, char *name, size_t size,
                       unw_word_t *offset, void *argument)
{
    (void)space;
    (void)address;
    (void)name;
    (void)size;
    (void)offset;
    (void)argument;
    return -UNW_ENOINFO;
}

const unw_accessors_t lh_unwind_refusals = {
    .put_unwind_info = put_unwind_info,
    .get_dyn_info_list_addr = find_dynamic_info,
    .access_fpreg = refuse_float_register,
    .resume = refuse_resume,
    .get_proc_name = refuse_name,
};

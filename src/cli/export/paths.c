/* SPDX-License-Identifier: Apache-2.0 */
/* What writers ask of a model beside its tables: names and paths. See model.h. */
#include <stdio.h>
#include <string.h>

#include "cli/export/model.h"
#include "common/text.h"

const char *lh_export_what(const struct lh_export_model *model, uint32_t call)
{
    return call != 0 ? lh_export_string(model, call) : "stall";
}

/* "<string>", "node:fs", "https://...": no file of this disk. */
static bool is_file(const char *name)
{
    return name[0] != '<' && strncmp(name, "node:", 5) != 0 && strstr(name, "://") == NULL;
}

const char *lh_export_path(const struct lh_export_model *model, uint32_t process, uint32_t file,
                           char room[LH_EXPORT_PATH_BYTES])
{
    const char *name = lh_export_text(model, file);
    if (name[0] == '/')
        return name;
    if (name[0] == '\0' || !is_file(name))
        return NULL;
    const char *cwd = lh_export_text(model, model->processes[process].cwd);
    if (cwd[0] != '/')
        return name;
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    (void)snprintf(room, LH_EXPORT_PATH_BYTES, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, name);
    return room;
}

const char *lh_export_root(const struct lh_export_model *model)
{
    for (uint32_t i = 0; i < model->process_count; i++)
        if (model->processes[i].root != 0)
            return lh_export_text(model, model->processes[i].root);
    for (uint32_t i = 0; i < model->process_count; i++)
        if (model->processes[i].cwd != 0)
            return lh_export_text(model, model->processes[i].cwd);
    return "";
}

const char *lh_export_relative(const struct lh_export_model *model, const char *path)
{
    const char *root = lh_export_root(model);
    size_t length = strlen(root);
    return length > 1 && lh_starts_with(path, root) && path[length] == '/' ? path + length + 1
                                                                           : path;
}

uint32_t lh_export_places_shown(const struct lh_export_model *model)
{
    return model->top != 0 && model->top < model->place_count ? model->top : model->place_count;
}

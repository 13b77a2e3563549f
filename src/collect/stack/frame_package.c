/* SPDX-License-Identifier: Apache-2.0 */
/* Packages of frames. Runs in the collector, on any of its threads; looks at names only. */
#include "collect/stack/frame_package.h"

#include <string.h>

#include "collect/stack/frame_kind.h"
#include "common/qualified_name.h"
#include "common/text.h"

static const char *after_last(const char *path, const char *part)
{
    const char *found = NULL;
    for (const char *at = path; (at = strstr(at, part)) != NULL; at++)
        found = at + strlen(part);
    return found;
}

const char *lh_inside_packages(const char *path)
{
    static const char frozen[] = "<frozen ";
    static const char *const roots[] = {"/site-packages/", "/dist-packages/", "/lib-dynload/"};
    static const char *const standards[] = {"/lib/python3", "/lib64/python3"};
    if (lh_starts_with(path, frozen))
        return path + strlen(frozen);
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        const char *found = after_last(path, roots[i]);
        if (found != NULL)
            return found;
    }
    for (size_t i = 0; i < sizeof(standards) / sizeof(standards[0]); i++) {
        const char *standard = after_last(path, standards[i]);
        const char *slash = standard != NULL ? strchr(standard, '/') : NULL;
        if (slash != NULL)
            return slash + 1;
    }
    return NULL;
}

static void put(char package[LH_PACKAGE_BYTES], const char *name, size_t length)
{
    struct lh_text text;
    lh_text_init(&text, package, LH_PACKAGE_BYTES);
    for (size_t i = 0; i < length && name[i] != '\0'; i++)
        lh_text_char(&text, name[i]);
}

static const char node_modules[] = "node_modules/";

const char *lh_frame_package_file(const struct lh_frame *frame)
{
    bool is_silent = frame->file != NULL && strstr(frame->file, node_modules) == NULL;
    bool says =
        frame->generated_file != NULL && strstr(frame->generated_file, node_modules) != NULL;
    return is_silent && says ? frame->generated_file : frame->file;
}

/* "node" of node:internal/timers, "express" or "@scope/name" of what is below node_modules. */
static void put_jit_package(char package[LH_PACKAGE_BYTES], const char *path)
{
    const char *name = after_last(path, node_modules);
    if (name == NULL) {
        put(package, path, strcspn(path, ":/"));
        return;
    }
    size_t scope = name[0] == '@' ? strcspn(name, "/") + 1 : 0;
    put(package, name, scope <= strlen(name) ? scope + strcspn(name + scope, "/") : strlen(name));
}

/* "std" of std::thread::sleep: the crate, or the outermost namespace. */
static bool put_namespace(char package[LH_PACKAGE_BYTES], const char *function)
{
    char name[LH_QUALIFIED_BYTES];
    if (function == NULL)
        return false;
    lh_qualified_name(function, name);
    const char *colons = strstr(name, "::");
    size_t length = colons != NULL ? (size_t)(colons - name) : 0;
    if (length == 0 || strcspn(name, " <>([{") < length)
        return false;
    put(package, name, length);
    return true;
}

void lh_frame_package(const struct lh_frame *frame, char package[LH_PACKAGE_BYTES])
{
    const char *path = frame->lang == LH_LANG_NATIVE ? frame->module : lh_frame_package_file(frame);
    path = path != NULL ? path : "";
    const char *name = lh_inside_packages(path);
    if (frame->lang == LH_LANG_JIT) {
        put_jit_package(package, path);
        return;
    }
    if (frame->lang == LH_LANG_NATIVE && name == NULL &&
        lh_frame_kind_of(frame) == LH_FRAME_LIBRARY && put_namespace(package, frame->function))
        return;
    if (name == NULL)
        name = lh_base_name(path);
    while (frame->lang != LH_LANG_PYTHON && *name == '_') /* _asyncio: the C half of asyncio */
        name++;
    if (name[0] == '<') /* made from a string */
        put(package, name, strlen(name));
    else
        put(package, name, strcspn(name, "/.>"));
}

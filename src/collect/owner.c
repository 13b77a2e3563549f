/* Whose code a frame is. Runs in the collector, on any of its threads; looks at names only. */
#include "collect/owner.h"

#include <stdbool.h>
#include <string.h>

static const char node[] = "node:";
static const char node_modules[] = "/node_modules/";

static bool starts_with(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

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
    if (starts_with(path, frozen))
        return path + strlen(frozen);
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        const char *found = after_last(path, roots[i]);
        if (found != NULL)
            return found;
    }
    const char *standard = after_last(path, "/lib/python3");
    const char *slash = standard != NULL ? strchr(standard, '/') : NULL;
    return slash != NULL ? slash + 1 : NULL;
}

static const char *path_of(const struct lh_frame *frame)
{
    const char *path = frame->lang == LH_LANG_NATIVE ? frame->module : frame->file;
    return path != NULL ? path : "";
}

/* Directories whose programs and libraries came with the system, not from the user. */
static bool is_of_system(const char *path)
{
    static const char *const roots[] = {"/usr/",  "/lib/", "/lib64/", "/bin/",
                                        "/sbin/", "/nix/", "/snap/"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++)
        if (starts_with(path, roots[i]))
            return true;
    return path[0] != '/';
}

/* V8's own way from one function of JavaScript to the next. */
static bool is_glue(const struct lh_frame *frame)
{
    return frame->function != NULL &&
           (starts_with(frame->function, "v8::") || starts_with(frame->function, "Builtins_"));
}

static enum lh_owner native_owner(const struct lh_frame *frame, const char *path)
{
    static const struct {
        const char *prefix;
        enum lh_owner owner;
    } modules[] = {
        {"python3", LH_OWNER_INTERPRETER}, {"libpython", LH_OWNER_INTERPRETER},
        {"libc.so", LH_OWNER_LIBC},        {"libc-2", LH_OWNER_LIBC},
        {"ld-linux", LH_OWNER_LIBC},       {"libnode", LH_OWNER_RUNTIME},
        {"libjvm", LH_OWNER_RUNTIME},      {"libruby", LH_OWNER_RUNTIME},
    };
    const char *base = base_name(path);
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
        if (starts_with(base, modules[i].prefix))
            return modules[i].owner == LH_OWNER_RUNTIME && is_glue(frame) ? LH_OWNER_INTERPRETER
                                                                          : modules[i].owner;
    if (strcmp(base, "node") == 0)
        return is_glue(frame) ? LH_OWNER_INTERPRETER : LH_OWNER_RUNTIME;
    if (lh_inside_packages(path) != NULL)
        return LH_OWNER_LIBRARY;
    return is_of_system(path) ? LH_OWNER_NATIVE : LH_OWNER_OWN_NATIVE;
}

static enum lh_owner jit_owner(const char *path)
{
    if (path[0] == '\0')
        return LH_OWNER_NATIVE;
    return starts_with(path, node) || strstr(path, node_modules) != NULL ? LH_OWNER_LIBRARY
                                                                         : LH_OWNER_USER;
}

enum lh_owner lh_frame_owner(const struct lh_frame *frame)
{
    const char *path = path_of(frame);
    if (frame->lang == LH_LANG_NATIVE)
        return native_owner(frame, path);
    if (frame->lang == LH_LANG_JIT)
        return jit_owner(path);
    return lh_inside_packages(path) != NULL ? LH_OWNER_LIBRARY : LH_OWNER_USER;
}

/* "node" of node:internal/timers, "express" or "@scope/name" of what is below node_modules. */
static const char *jit_package(const char *path, size_t *length)
{
    const char *name = after_last(path, node_modules);
    if (name == NULL) {
        *length = strcspn(path, ":/");
        return path;
    }
    size_t scope = name[0] == '@' ? strcspn(name, "/") + 1 : 0;
    *length = scope <= strlen(name) ? scope + strcspn(name + scope, "/") : strlen(name);
    return name;
}

const char *lh_frame_package(const struct lh_frame *frame, size_t *length)
{
    const char *path = path_of(frame);
    if (frame->lang == LH_LANG_JIT)
        return jit_package(path, length);
    const char *name = lh_inside_packages(path);
    if (name == NULL)
        name = base_name(path);
    while (frame->lang != LH_LANG_PYTHON && *name == '_') /* _asyncio: the C half of asyncio */
        name++;
    *length = strcspn(name, "/.>");
    return name;
}

static uint32_t first_of(const struct lh_frame *frames, uint32_t count, enum lh_owner owner)
{
    uint32_t i = 0;
    while (i < count && lh_frame_owner(&frames[i]) != owner)
        i++;
    return i;
}

uint32_t lh_first_of_user(const struct lh_frame *frames, uint32_t count)
{
    uint32_t first = first_of(frames, count, LH_OWNER_USER);
    return first < count ? first : first_of(frames, count, LH_OWNER_OWN_NATIVE);
}

/* Whose code a frame is, and short names of files. Runs on the threads of the rings. */
#include <string.h>

#include "collect/text_parts.h"

#define LONG_PATH 48

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

/* The name of a file below the directory that packages are installed to; NULL: not there. */
static const char *inside_packages(const char *path)
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

static const char *frame_path(const struct lh_frame *frame)
{
    const char *path = frame->lang == LH_LANG_PYTHON ? frame->file : frame->module;
    return path != NULL ? path : "";
}

static enum lh_owner native_owner(const char *path)
{
    static const struct {
        const char *prefix;
        enum lh_owner owner;
    } modules[] = {
        {"python3", LH_OWNER_INTERPRETER}, {"libpython", LH_OWNER_INTERPRETER},
        {"libc.so", LH_OWNER_LIBC},        {"libc-2", LH_OWNER_LIBC},
        {"ld-linux", LH_OWNER_LIBC},
    };
    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
        if (starts_with(base_name(path), modules[i].prefix))
            return modules[i].owner;
    return inside_packages(path) != NULL ? LH_OWNER_LIBRARY : LH_OWNER_NATIVE;
}

enum lh_owner lh_frame_owner(const struct lh_frame *frame)
{
    const char *path = frame_path(frame);
    if (frame->lang != LH_LANG_PYTHON)
        return native_owner(path);
    return inside_packages(path) != NULL ? LH_OWNER_LIBRARY : LH_OWNER_USER;
}

const char *lh_frame_package(const struct lh_frame *frame, size_t *length)
{
    const char *path = frame_path(frame);
    const char *name = inside_packages(path);
    if (name == NULL)
        name = base_name(path);
    while (frame->lang != LH_LANG_PYTHON && *name == '_') /* _asyncio: the C half of asyncio */
        name++;
    *length = strcspn(name, "/.>");
    return name;
}

/* The last two components, where that is shorter. */
static const char *tail(const char *path)
{
    const char *base = base_name(path);
    const char *at = base > path ? base - 1 : path;
    while (at > path && at[-1] != '/')
        at--;
    return at;
}

void lh_text_path(struct lh_text *text, const char *file, const char *cwd)
{
    size_t cwd_length = strlen(cwd);
    const char *packaged = file[0] == '/' ? inside_packages(file) : NULL;
    if (packaged != NULL) {
        file = packaged;
    } else if (cwd_length > 1 && starts_with(file, cwd) && file[cwd_length] == '/') {
        file += cwd_length + 1;
    } else if (strlen(file) > LONG_PATH && tail(file) > file) {
        lh_text_string(text, ".../");
        file = tail(file);
    }
    lh_text_clean(text, file, strlen(file));
}

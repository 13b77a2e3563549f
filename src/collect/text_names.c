/* Short names of files. Runs on the threads of the rings. */
#include <string.h>

#include "collect/owner.h"
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
    const char *packaged = file[0] == '/' ? lh_inside_packages(file) : NULL;
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

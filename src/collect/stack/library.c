/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries of frames. See library.h.
 *
 * File names come from the program: what is read of them is bounded, and asked for once. */
#include "collect/stack/library.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "collect/stack/frame_kind.h"
#include "collect/stack/frame_package.h"
#include "collect/stack/library_version.h"
#include "common/fnv.h"
#include "common/text.h"

#define SLOTS 4096u /* most libraries that are kept; a power of two */

struct library {
    uint64_t key; /* 0: free */
    char name[LH_PACKAGE_BYTES];
    char version[LH_VERSION_BYTES];
};

struct lh_libraries {
    uint32_t count;
    struct library *slots[SLOTS];
};

struct lh_libraries *lh_libraries_new(void)
{
    return calloc(1, sizeof(struct lh_libraries));
}

void lh_libraries_free(struct lh_libraries *libraries)
{
    for (uint32_t i = 0; libraries != NULL && i < SLOTS; i++)
        free(libraries->slots[i]);
    free(libraries);
}

static bool is_of_library(const struct lh_frame *frame)
{
    switch (lh_frame_kind_of(frame)) {
    case LH_FRAME_LIBRARY:
    case LH_FRAME_LIBC:
        return true;
    case LH_FRAME_NATIVE:
        return frame->module != NULL && strstr(lh_base_name(frame->module), ".so") != NULL;
    default:
        return false;
    }
}

/* The file that says most about its installation. */
static const char *path_of(const struct lh_frame *frame)
{
    bool packaged = frame->lang == LH_LANG_NATIVE && frame->module != NULL &&
                    lh_inside_packages(frame->module) != NULL;
    return frame->file != NULL && !packaged ? lh_frame_package_file(frame) : frame->module;
}

static struct library *make(const struct lh_frame *frame, const char *name, const char *path)
{
    struct library *library = calloc(1, sizeof(*library));
    if (library == NULL)
        return NULL;
    (void)lh_text_copy(library->name, sizeof(library->name), name);
    lh_library_version(frame->lang, path, name, library->version);
    return library;
}

/* Those of one name in one directory are one. NULL: out of memory, or there are too many. */
static const struct library *find(struct lh_libraries *libraries, const struct lh_frame *frame,
                                  const char *name, const char *path)
{
    const char *base = lh_base_name(path);
    uint64_t key = lh_fnv(lh_fnv(LH_FNV_START, path, (size_t)(base - path)), name, strlen(name));
    uint32_t slot = (uint32_t)key & (SLOTS - 1);
    while (libraries->slots[slot] != NULL && libraries->slots[slot]->key != key)
        slot = (slot + 1) & (SLOTS - 1);
    if (libraries->slots[slot] != NULL)
        return libraries->slots[slot];
    if (libraries->count >= SLOTS / 2)
        return NULL;
    struct library *library = make(frame, name, path);
    if (library == NULL)
        return NULL;
    library->key = key;
    libraries->slots[slot] = library;
    libraries->count++;
    return library;
}

void lh_libraries_name(struct lh_libraries *libraries, struct lh_frame *frames, uint32_t count)
{
    char name[LH_PACKAGE_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        struct lh_frame *frame = &frames[i];
        frame->library = NULL;
        frame->version = NULL;
        const char *path = is_of_library(frame) ? path_of(frame) : NULL;
        if (path == NULL)
            continue;
        lh_frame_package(frame, name);
        const struct library *library = name[0] != '\0' ? find(libraries, frame, name, path) : NULL;
        if (library == NULL)
            continue;
        frame->library = library->name;
        frame->version = library->version[0] != '\0' ? library->version : NULL;
    }
}

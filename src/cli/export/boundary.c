/* SPDX-License-Identifier: Apache-2.0 */
/* The boundaries of event loops. See boundary.h. */
#include "cli/export/boundary.h"

#include "common/options.h"
#include "common/qualified_name.h"
#include "common/text.h"

/* What calls back: in all stacks of a loop it is the same frame, and what is further out tells
 * nothing about a block. Globs of the file (of machine code: none) and of the function. */
static const struct {
    enum lh_lang lang;
    const char *file; /* NULL: any */
    const char *function;
} boundaries[] = {
    {LH_LANG_PYTHON, "*/asyncio/events.py", "Handle._run,_run"},
    {LH_LANG_PYTHON, "*/trio/_core/_run.py", "unrolled_run"},
    {LH_LANG_PYTHON, "*/gevent/*", "*Greenlet.run"},
    {LH_LANG_PYTHON, "*/twisted/internet/base.py", "*.runUntilCurrent,*.doIteration"},
    {LH_LANG_PYTHON, "*/tornado/ioloop.py", "*._run_callback"},
    {LH_LANG_NATIVE, NULL, "uv__run_*,uv__io_poll,uv__async_io,uv__stream_io,uv__work_done"},
    {LH_LANG_NATIVE, NULL, "ev_invoke_pending,event_process_active*,g_main_dispatch*"},
    {LH_LANG_NATIVE, NULL, "g_main_context_dispatch*,ngx_process_events_and_timers"},
    {LH_LANG_NATIVE, NULL, "aeProcessEvents,*asio::detail::scheduler::do_run_one*"},
    {LH_LANG_NATIVE, NULL, "*tokio::runtime::task::raw::*poll,*tokio::runtime::task::raw::poll*"},
    {LH_LANG_JIT, NULL, "*io.netty.channel.*EventLoop.run*,*Lio/netty/channel/*EventLoop;::run"},
};

bool lh_is_boundary(const struct lh_frame *frame)
{
    char qualified[LH_QUALIFIED_BYTES];
    const char *name = frame->function;
    if (name == NULL)
        return false;
    if (frame->lang != LH_LANG_PYTHON) {
        lh_qualified_name(name, qualified);
        name = qualified;
    }
    for (size_t i = 0; i < sizeof(boundaries) / sizeof(boundaries[0]); i++) {
        const char *file = boundaries[i].file;
        if (boundaries[i].lang == frame->lang &&
            (file == NULL || (frame->file != NULL && lh_glob_list_match(file, frame->file))) &&
            lh_glob_list_match(boundaries[i].function, name))
            return true;
    }
    return false;
}

bool lh_is_own_frame(const struct lh_frame *frame)
{
    static const char modules[] = "libloophound.so*,_asyncio.*.so";
    static const char files[] = "*/site-packages/loophound/*,*/dist-packages/loophound/*";
    return (frame->module != NULL && lh_glob_list_match(modules, lh_base_name(frame->module))) ||
           (frame->lang == LH_LANG_PYTHON && frame->file != NULL &&
            lh_glob_list_match(files, frame->file));
}

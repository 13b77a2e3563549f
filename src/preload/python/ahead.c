/* SPDX-License-Identifier: Apache-2.0 */
/* What a walk over Python frames is about to read. See ahead.h.
 *
 * Runs on the program's threads and on the watchdog, while the interpreter may be running: no
 * malloc, no stdio, no libc that may set errno. What is guessed wrong costs a reading, no more.
 *
 * Each frame says where the next is, so frames come one after another; but all that have been seen
 * say where their code objects are, and those where names and line tables. */
#include "preload/python/ahead.h"

#include "preload/python/frame.h"

#define SHIMS     2u   /* steps for each frame that is wanted, and the shim that may be there */
#define NAME_SPAN 160u /* of a str: its header and, mostly, all of it */
#define LINE_SPAN 768u /* of a line table, likewise */

void lh_python_want_frame(const struct lh_python_walk *walk, uintptr_t address)
{
    if (!lh_python_has_loop_per_frame(&walk->layout->at))
        lh_view_want_page(&walk->view, address);
}

static uint32_t want_codes(const struct lh_python_walk *walk, uintptr_t first,
                           uintptr_t codes[LH_PYTHON_FRAMES])
{
    struct lh_python_frame_read frame;
    uintptr_t address = first;
    uint32_t count = 0;
    for (uint32_t i = 0; i < walk->left * SHIMS && count < walk->left && address != 0; i++) {
        lh_python_want_frame(walk, address);
        if (lh_python_read_frame(walk, address, &frame) != 0)
            break;
        address = frame.previous;
        if (frame.is_shim)
            continue;
        codes[count++] = frame.code;
        lh_view_want(&walk->view, frame.code, walk->layout->at.code_span);
    }
    lh_view_fetch(&walk->view);
    return count;
}

static void want_texts(const struct lh_python_walk *walk, uintptr_t address)
{
    struct lh_python_code_read code;
    if (lh_python_read_code(walk, address, &code) != 0)
        return;
    lh_view_want(&walk->view, code.filename, NAME_SPAN);
    lh_view_want(&walk->view, code.qualname, NAME_SPAN);
    lh_view_want(&walk->view, code.line_table, LINE_SPAN);
    if (walk->layout->at.code_bytecode_copies != 0)
        lh_view_want(&walk->view, code.bytecode_copies, sizeof(uintptr_t));
}

void lh_python_look_ahead(const struct lh_python_walk *walk, uintptr_t first)
{
    uintptr_t codes[LH_PYTHON_FRAMES];
    if (walk->view.store == NULL || walk->left > LH_PYTHON_FRAMES)
        return;
    uint32_t count = want_codes(walk, first, codes);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || codes[i] != codes[i - 1])
            want_texts(walk, codes[i]);
    lh_view_fetch(&walk->view);
}

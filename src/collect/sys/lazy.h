/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that the command loads when it first calls them. Any thread.
 *
 * libdw, libunwind and what they need take the dynamic linker longer than a short program takes
 * from its start to its end, and most runs never read a stack. So the command is not linked with
 * them: x86_64/lazy_stubs.S defines each function of theirs that it calls, as a jump through a slot
 * that holds the function itself after the first call. scripts/lazy_libraries.py lists them. */
#ifndef LH_COLLECT_SYS_LAZY_H
#define LH_COLLECT_SYS_LAZY_H

/* Called by the stubs. Where a library cannot be loaded, that is said once, and the function
 * answers 0, which is "nothing" in libelf, libdw, and what of libunwind is called first: a stack is
 * told without what it would have said. Without one of the others, which only `report` needs, the
 * command ends as the dynamic linker would end it. */
void *lh_lazy_find(void **slot);

#endif

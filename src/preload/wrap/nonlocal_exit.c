/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are left without returning. See nonlocal_exit.h. Runs on the program's threads, also
 * in its signal handlers and inside the unwinder of its C++ runtime: raw system calls only, errno
 * stays.
 */
#include "preload/wrap/nonlocal_exit.h"

#include <unwind.h>

#include "preload/loop/loop.h"
#include "preload/wrap/scope.h"

/* It has held the loop until now, and may have been told as in flight. Whether it could have waited
 * is not known: strict mode's short calls are not told. */
static void end_call(struct lh_slot *slot)
{
    struct lh_scope scope = {
        .slot = slot,
        .seq = atomic_load_explicit(&slot->seq, memory_order_relaxed),
        .start = slot->start,
        .operand = slot->operand,
    };
    if (!lh_scope_leave(&scope))
        return;
    lh_call_end(&scope);
    lh_call_finish(&scope, slot->call, LH_WAITS_NO, 0, 0);
}

void lh_nonlocal_exit_to(uintptr_t sp)
{
    struct lh_slot *slot = lh_self.slot;
    if (lh_self.paused_watchdog < sp)
        lh_watchdog_resume();
    if (slot == NULL || atomic_load_explicit(&slot->tid, memory_order_relaxed) == 0)
        return; /* no loop thread, or a child of fork: the slot is its parent's */
    uintptr_t call = atomic_load_explicit(&slot->sp, memory_order_relaxed);
    if (call != 0 && call < sp)
        end_call(slot);
    if (atomic_load_explicit(&slot->parked, memory_order_relaxed) != 0 && slot->park_frame < sp)
        lh_park_end();
}

/* The personality routine of wrappers (Itanium C++ ABI: Exception Handling, 1.6.2). They have
 * nothing to catch and nothing to clean up, but are asked as their frames go. */
LH_HIDDEN _Unwind_Reason_Code lh_unwinds_call(int version, _Unwind_Action actions,
                                              _Unwind_Exception_Class class,
                                              struct _Unwind_Exception *exception,
                                              struct _Unwind_Context *context);

__attribute__((used)) _Unwind_Reason_Code lh_unwinds_call(int version, _Unwind_Action actions,
                                                          _Unwind_Exception_Class class,
                                                          struct _Unwind_Exception *exception,
                                                          struct _Unwind_Context *context)
{
    (void)version, (void)class, (void)exception, (void)context;
    if ((actions & _UA_CLEANUP_PHASE) != 0)
        lh_nonlocal_exit_to(UINTPTR_MAX);
    return _URC_CONTINUE_UNWIND;
}

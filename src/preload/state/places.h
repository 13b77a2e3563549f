/* SPDX-License-Identifier: Apache-2.0 */
/* Strict mode: a call at a place is told once, and then counted, until its scope ends. The scope is
 * the process, or what loophound_mark() has opened: a test. At its end the counts go out, a record
 * each, of the places at which there was more than the one call that was told.
 *
 * The program's threads, signal handlers too; raw system calls, no malloc, no locks, errno stays. A
 * count that another thread adds just as the scope ends may be lost; a report never is. */
#ifndef LH_PRELOAD_STATE_PLACES_H
#define LH_PRELOAD_STATE_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/state/state.h"

/* One more call, of this kind and length, at this place (0: not known). Returns the id of the
 * report that is to tell it, or 0: it was told, and is counted. Where there is no room for another
 * place each is told. */
uint64_t lh_place_take(uint64_t place, uint32_t call, uint64_t elapsed_ns);

/* The scope ends. */
void lh_places_end(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Function names as a person writes them. One thread at a time for one lh_demangler. */
#ifndef LH_COLLECT_STACK_DEMANGLE_H
#define LH_COLLECT_STACK_DEMANGLE_H

#include <stddef.h>

/* Names that were made from those of the linker, each kept once. */
struct lh_demangler;

/* NULL: out of memory. */
struct lh_demangler *lh_demangler_new(void);
void lh_demangler_free(struct lh_demangler *demangler);

/* How much memory the names take. */
size_t lh_demangler_bytes(const struct lh_demangler *demangler);

/* The one copy of this name. NULL: out of memory. */
const char *lh_demangler_keep(struct lh_demangler *demangler, const char *name);

/* Without its symbol version, and demangled (C++: Itanium ABI; Rust: both schemes), without the
 * types of its parameters: `_ZN2ns1fIiEEvT_` is `ns::f<int>`. What is neither
 * comes back as it is. Valid as long as `names`, or as `name` is. */
const char *lh_demangle(struct lh_demangler *demangler, const char *name);

#endif

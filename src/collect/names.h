/* Function names as a person writes them. One thread at a time for one lh_names. */
#ifndef LH_COLLECT_NAMES_H
#define LH_COLLECT_NAMES_H

/* Names that were made from those of the linker, each kept once. */
struct lh_names;

/* NULL: out of memory. */
struct lh_names *lh_names_new(void);
void lh_names_free(struct lh_names *names);

/* The one copy of this name. NULL: out of memory. */
const char *lh_names_keep(struct lh_names *names, const char *name);

/* Without its symbol version, and demangled (C++: Itanium ABI; Rust: both schemes), without the
 * types of its parameters: `_ZN2ns1fIiEEvT_` is `ns::f<int>`. What is neither
 * comes back as it is. Valid as long as `names`, or as `name` is. */
const char *lh_names_readable(struct lh_names *names, const char *name);

#endif

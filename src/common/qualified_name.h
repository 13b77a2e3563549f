/* SPDX-License-Identifier: Apache-2.0 */
/* Names of functions without what stands around them. Any thread; no malloc, no stdio, no locale.
 */
#ifndef LH_COMMON_QUALIFIED_NAME_H
#define LH_COMMON_QUALIFIED_NAME_H

#define LH_QUALIFIED_BYTES 256

/* The qualified name of a demangled function of C++, Rust or Java, cut where it is longer: without
 * its return type and its parameters; of a Rust method, from its type on ("<&mut tokio::T as
 * core::U>::poll" is "tokio::T as core::U>::poll"). */
void lh_qualified_name(const char *function, char name[LH_QUALIFIED_BYTES]);

#endif

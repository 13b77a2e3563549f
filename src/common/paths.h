/* SPDX-License-Identifier: Apache-2.0 */
/* Where an installation puts the library and the command. Compiled once for each of them: a change
 * of PREFIX compiles nothing else again. */
#ifndef LH_COMMON_PATHS_H
#define LH_COMMON_PATHS_H

/* Directories, without a slash at the end. */
extern const char lh_path_bindir[] __attribute__((visibility("hidden")));
extern const char lh_path_libdir[] __attribute__((visibility("hidden")));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Directories that a `loophound run` has left behind, for it was killed. */
#ifndef LH_CLI_LEFT_DIRS_H
#define LH_CLI_LEFT_DIRS_H

/* Removes those beside our own directory, `own`: this user's, which no process has locked, in which
 * nobody listens, and of which no process of their run is left. No link is followed, and nothing is
 * removed but what a run makes: a directory with a socket. */
void lh_left_dirs_remove(const char *own);

#endif

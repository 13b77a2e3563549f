/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the collector from inside a program without the program noticing. Runs on the watchdog.
 */
#ifndef LH_PRELOAD_READER_SPAWN_H
#define LH_PRELOAD_READER_SPAWN_H

#include <stdint.h>

/* Starts `path` as a detached process with these descriptors (see protocol.h; output_fd -1: none)
 * and an empty environment. No SIGCHLD reaches the program and its wait calls do not see it:
 * execve(2) makes a child's exit signal SIGCHLD again, so the collector is a grandchild, and the
 * child between, made without an exit signal, is reaped here with __WALL. *started is its pid; 0:
 * not known. Returns 0 or a negative errno, also when execve failed. */
int lh_spawn_collector(const char *path, int socket_fd, int output_fd, uint32_t *started);

#endif

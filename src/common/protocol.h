/* SPDX-License-Identifier: Apache-2.0 */
/* How the library and the collector find each other: names both sides must agree on. */
#ifndef LH_COMMON_PROTOCOL_H
#define LH_COMMON_PROTOCOL_H

/* Set by `loophound run` for its children: path of its listening SOCK_SEQPACKET socket. Each
 * process that carries the library sends one struct lh_hello at its start without descriptors, and
 * one with descriptors (ring memfd, /proc/self/maps; where there is no /proc the ring alone) once
 * it has a loop thread. The second connection stays open while that process image and its watchdog
 * live; its end alone does not mean that the process has ended (before a fork the watchdog is
 * stopped). */
#define LH_ENV_SOCKET "LOOPHOUND_SOCKET"

/* That socket is in a directory of this name, followed by the pid of `loophound run` and a dash: a
 * process that outlives it can tell that it is over. */
#define LH_RUN_DIRECTORY "loophound-"

/* Pid of the first process that carries the library, for LOOPHOUND_FOLLOW. */
#define LH_ENV_ROOT "LOOPHOUND_ROOT"

/* Under a bare LD_PRELOAD the library starts `loophound collector` with an empty environment, a
 * connected socket at LH_COLLECTOR_SOCKET_FD (it carries one struct lh_hello with descriptors), and
 * for LOOPHOUND_OUTPUT=stderr and fd:N that descriptor at LH_COLLECTOR_OUTPUT_FD. Its standard
 * error is the socket: each write is a line for the program's, which the library passes on.
 * Everything else it needs stands in the ring's header. */
#define LH_COLLECTOR_COMMAND   "collector"
#define LH_COLLECTOR_SOCKET_FD 3
#define LH_COLLECTOR_OUTPUT_FD 4

#endif

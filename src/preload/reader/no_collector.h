/* SPDX-License-Identifier: Apache-2.0 */
/* What is said where there is no collector. Runs on the watchdog. */
#ifndef LH_PRELOAD_READER_NO_COLLECTOR_H
#define LH_PRELOAD_READER_NO_COLLECTOR_H

/* A line on the program's standard error, if it has one. */
void lh_no_collector_say(const char *line);

/* In a line, why none can be started: `problem`, or if that is NULL a negative errno of execve(2);
 * -ECHILD: those that were started have ended. */
void lh_no_collector_say_why(int error, const char *problem);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Files of /proc and /sys, read whole and with bounds. */
#ifndef LH_CLI_DOCTOR_PROC_H
#define LH_CLI_DOCTOR_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* /proc/PID/NAME, or of this process with pid 0. NULL and errno. */
FILE *lh_proc_open(pid_t pid, const char *name);

/* All of it (1 MiB at most), with a NUL behind it; malloc(3). NULL and errno. */
char *lh_proc_read(pid_t pid, const char *name, size_t *size);

/* What stands behind "NAME:" in its status, as a number. False: it is not there. */
bool lh_proc_status(pid_t pid, const char *name, uint64_t *value);

/* The number that a file begins with. False: there is none, as where it says "max". */
bool lh_file_number(const char *path, int64_t *value);

#endif

/* The thread of the collector that reads one program's ring, memory map and files. */
#ifndef LH_COLLECT_READING_H
#define LH_COLLECT_READING_H

#include <pthread.h>
#include <sys/socket.h>

/* Starts it, on the driving thread. Returns 0 or a negative errno. */
int lh_reading_start(pthread_t *thread, void *(*serve)(void *), void *argument);

/* On that thread: a collector that is root looks at another user's program and its files with that
 * user's rights. */
void lh_reading_take_on_rights(const struct ucred *peer);

#endif

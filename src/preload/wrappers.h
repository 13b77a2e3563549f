/* The wrappers. Nothing here is called but from our constructor; programs call them by libc's
 * names. */
#ifndef LH_PRELOAD_WRAPPERS_H
#define LH_PRELOAD_WRAPPERS_H

/* Looks up every libc function behind a wrapper. dlsym(3): may allocate. */
void lh_wrappers_resolve(void);

/* The same for syscall(2), whose wrapper is wrap_syscall.c; called by lh_wrappers_resolve(). */
void lh_wrap_syscall_resolve(void);

#endif

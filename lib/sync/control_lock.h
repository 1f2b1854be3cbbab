/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock that keeps apart those who configure: add, change, remove. No hot call and no worker takes it.
 */
#ifndef STW_SYNC_CONTROL_LOCK_H
#define STW_SYNC_CONTROL_LOCK_H

#include <pthread.h>

/** Held by one control call at a time. */
struct control_lock {
	pthread_mutex_t mutex;
};

/** Make it. Threads: one. */
void control_lock_init(struct control_lock *lock);

/** Give it back. Threads: one, the last. */
void control_lock_destroy(struct control_lock *lock);

/** Take it. Threads: any that configures. Progress: blocking (waits for another that does). */
void control_lock_take(struct control_lock *lock);

/** Leave it. Threads: the one that took it. */
void control_lock_leave(struct control_lock *lock);

#endif

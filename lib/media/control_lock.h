/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one lock of those who add, change and remove. No worker takes it.
 */
#ifndef STW_MEDIA_CONTROL_LOCK_H
#define STW_MEDIA_CONTROL_LOCK_H

#include <pthread.h>

/** Held by one control call at a time. */
struct control_lock {
	pthread_mutex_t mutex;
};

/** Make it. Threads: one. */
void control_lock_init(struct control_lock *lock);

/** Give it back. Threads: one, the last. */
void control_lock_destroy(struct control_lock *lock);

/** Take it. Threads: any but workers. Progress: blocking (waits for another control call). */
void control_lock_take(struct control_lock *lock);

/** Leave it. Threads: the one that took it. */
void control_lock_leave(struct control_lock *lock);

#endif

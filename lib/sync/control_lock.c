/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock that keeps apart those who configure.
 */
#include "control_lock.h"

#include "base/base.h"

void
control_lock_init(struct control_lock *lock)
{
	int error = pthread_mutex_init(&lock->mutex, NULL);

	STW_ASSERT(error == 0);
}

void
control_lock_destroy(struct control_lock *lock)
{
	pthread_mutex_destroy(&lock->mutex);
}

void
control_lock_take(struct control_lock *lock)
{
	int error = pthread_mutex_lock(&lock->mutex);

	STW_ASSERT(error == 0);
}

void
control_lock_leave(struct control_lock *lock)
{
	int error = pthread_mutex_unlock(&lock->mutex);

	STW_ASSERT(error == 0);
}

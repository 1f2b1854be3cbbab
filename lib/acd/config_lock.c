/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The only lock of the engine: it keeps those who configure apart, and no hot call ever takes it.
 */
#include "config.h"

void
acd_config_lock_init(struct stw_acd *acd)
{
	STW_ASSERT(!pthread_mutex_init(&acd->lock, NULL));
}

void
acd_config_lock_destroy(struct stw_acd *acd)
{
	pthread_mutex_destroy(&acd->lock);
}

void
acd_config_lock(struct stw_acd *acd)
{
	STW_ASSERT(!pthread_mutex_lock(&acd->lock));
}

void
acd_config_unlock(struct stw_acd *acd)
{
	STW_ASSERT(!pthread_mutex_unlock(&acd->lock));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a host has said about a worker, with the defaults put in.
 */
#include "overload.h"

#include <errno.h>

#define PAUSE_NS     2000
#define SLEEP_NS     100000
#define SLEEP_FOR_NS 2000000
#define DOZE_NS      1000000
#define WAIT_NS      10000000

#define SLEEP_NS_MIN 1000
#define SLEEP_NS_MAX 10000000
#define DOZE_NS_MAX  100000000
#define WAIT_NS_MAX  1000000000

static void
default_set(uint32_t *field, uint32_t value)
{
	if (*field == 0)
		*field = value;
}

int
worker_config_take(const struct stw_media_config *media, uint32_t worker,
		   struct stw_worker_config *out)
{
	struct stw_worker_config config = STW_WORKER_CONFIG_INIT;
	uint32_t count = media->worker_configs_count;

	if ((count && !media->worker_configs) || (count > 1 && count != media->workers))
		return -EINVAL;
	if (count)
		config = media->worker_configs[count == 1 ? 0 : worker];
	if (config.struct_size < sizeof(config) || (unsigned)config.idle > STW_IDLE_ADAPTIVE)
		return -EINVAL;
	default_set(&config.pause_ns, PAUSE_NS);
	default_set(&config.sleep_ns, SLEEP_NS);
	default_set(&config.sleep_for_ns, SLEEP_FOR_NS);
	default_set(&config.doze_ns, RTE_MAX((uint32_t)DOZE_NS, config.sleep_ns));
	default_set(&config.wait_ns, RTE_MAX((uint32_t)WAIT_NS, config.doze_ns));
	default_set(&config.overload_bursts, OVERLOAD_BURSTS);
	if (config.sleep_ns < SLEEP_NS_MIN || config.sleep_ns > SLEEP_NS_MAX ||
	    config.doze_ns < config.sleep_ns || config.doze_ns > DOZE_NS_MAX ||
	    config.wait_ns < config.doze_ns || config.wait_ns > WAIT_NS_MAX)
		return -EINVAL;
	*out = config;
	return 0;
}

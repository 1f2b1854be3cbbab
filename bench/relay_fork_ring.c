/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay-fork-ring: packets a second relayed on one core between 200,000 legs while each of them goes to a
 * consumer in the process, too, beside the same relay without forks. The consumer runs on the generator's
 * core, between its bursts: it takes up to 64 frames, looks at bytes near both ends of each payload and
 * gives them back.
 */
#include <strowger/media.h>

#include "relay_fork.h"

#define TAKEN_MAX     64
#define FRAMES_MAX    4096
#define PAYLOAD_BYTES 160

static struct stw_consumer *consumer;
static uint64_t taken_before;
static uint64_t taken;

static void
consume(void *argument)
{
	const struct stw_frame *frames[TAKEN_MAX];
	int count = stw_consumer_take(consumer, frames, TAKEN_MAX);

	for (int i = 0; i < count; i++) {
		if (frames[i]->payload_bytes != PAYLOAD_BYTES ||
		    frames[i]->payload[5] != (uint8_t)(frames[i]->payload[4] + 7) ||
		    frames[i]->payload[PAYLOAD_BYTES - 1] !=
			    (uint8_t)(frames[i]->payload[PAYLOAD_BYTES - 2] + 7))
			rounds_die("relay-fork-ring: a frame is not what was sent");
	}
	if (count > 0 && stw_consumer_give(consumer, frames, (uint32_t)count) < 0)
		rounds_die("relay-fork-ring: a frame is refused");
	taken += (uint64_t)count;
}

static void
prepare(struct house *house)
{
	struct stw_consumer_config config = STW_CONSUMER_CONFIG_INIT;

	config.frames_max = FRAMES_MAX;
	house_must(house, stw_consumer_open(house->media, &config, &consumer), "stw_consumer_open");
	generator_set_beside(house->generator, consume, NULL);
}

static void
describe(uint32_t call, struct stw_fork_config *config)
{
	config->kind = STW_FORK_RING;
	config->consumer = consumer;
}

static uint64_t
arrived(const struct generator_count *count)
{
	uint64_t since = taken - taken_before;

	taken_before = taken;
	return since;
}

int
main(int argc, char **argv)
{
	const struct relay_fork fork = {"relay-fork-ring", prepare, describe, arrived};

	return relay_fork_run(&fork, argc, argv);
}

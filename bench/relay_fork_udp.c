/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay-fork-udp: packets a second relayed on one core between 200,000 legs while each of them is
 * copied to a UDP endpoint, beside the same relay without forks. Copies leave by both ports, from four
 * local addresses, for a recorder behind the gateway.
 */
#include <strowger/media.h>

#include "relay_fork.h"

#define SPARE 4

static void
describe(uint32_t call, struct stw_fork_config *config)
{
	const struct stw_endpoint recorder = {{4, {203, 0, 113, 9}}, 9000};

	config->kind = STW_FORK_UDP;
	config->address = HOUSE_SPARE_FIRST + call % SPARE;
	config->remote = recorder;
}

static uint64_t
arrived(const struct generator_count *count)
{
	return count->copies;
}

int
main(int argc, char **argv)
{
	const struct relay_fork fork = {"relay-fork-udp", NULL, describe, arrived};

	return relay_fork_run(&fork, argc, argv);
}

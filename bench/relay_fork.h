/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What relay-fork-udp and relay-fork-ring share: a fork for each of 100,000 calls, both sides, beside
 * the same relay without forks.
 */
#ifndef BENCH_RELAY_FORK_H
#define BENCH_RELAY_FORK_H

#include "relay_house.h"

/** A kind of fork under test. */
struct relay_fork {
	const char *bench; /**< name in bench/run */
	/** Make what all forks need; the packet plane is there. NULL: nothing. */
	void (*prepare)(struct house *house);
	/** Describe the fork of a call; the rest is 0. */
	void (*describe)(uint32_t call, struct stw_fork_config *config);
	/** Copies that arrived where they belong, since the beginning. */
	uint64_t (*arrived)(const struct generator_count *count);
};

/** Run the bench; the program's status. */
int relay_fork_run(const struct relay_fork *fork, int argc, char **argv);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the benches on net_ring share: two ports with a generator behind them, a packet plane on them
 * with 8 local addresses, calls between the generator's phones, and a worker core.
 */
#ifndef BENCH_RELAY_HOUSE_H
#define BENCH_RELAY_HOUSE_H

#include <stdint.h>

#include <strowger/media.h>

#include "relay_generator.h"
#include "relay_worker.h"
#include "rounds.h"

/** Local addresses behind each port. */
#define HOUSE_SIDE_ADDRESSES 4

/** Index of the first spare address, and how many there may be. */
#define HOUSE_SPARE_FIRST (GENERATOR_PORTS * HOUSE_SIDE_ADDRESSES)
#define HOUSE_SPARE_MAX   8

/** Calls that the generator has phones for. */
#define HOUSE_CALLS_MAX 100000

struct house {
	const char *bench; /**< name, for what it says */
	struct rounds_options options;
	struct generator *generator;
	struct relay_worker *worker;
	struct stw_media *media;
	uint16_t ports[GENERATOR_PORTS];
	struct generator_stream *streams; /**< two for each call that was added */
	struct stw_leg *legs;             /**< of each of those streams */
	uint32_t
		spare_addresses; /**< local addresses beside those of calls, by turns on both ports */
};

/** End the program when something failed. */
void house_must(const struct house *house, int error, const char *what);

/** Start EAL: the generator on the first CPU, the worker on the last; make the ports. */
void house_open(struct house *house, const char *bench, int argc, char **argv);

/** Make the packet plane; config has what a bench wants to be different from the house's own. */
void house_media_make(struct house *house, struct stw_media_config *config);

/** Limits of a packet plane for so many calls, without forks and playouts. */
struct stw_media_config house_config(uint32_t calls);

/** Add a call: two legs, the callers' by the first port, the agents' by the second, connected. */
struct stw_session house_call_add(struct house *house, uint32_t call,
				  struct generator_stream streams[2]);

/** Let so many legs latch and next hops be found, until every packet is heard by the right phone. */
void house_warm_up(struct house *house, uint32_t legs);

/** Say which verdicts there were. */
void house_note_verdicts(const struct house *house);

/** Check that the verdicts add up; stop the worker, free everything. */
void house_close(struct house *house);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fork of every stream beside none, in turns on the same packet plane with the same generator:
 * forks are added before a turn and removed after it, outside of the time that is measured. Packets are
 * marked as checked by a NIC. The generator's core takes the copies, too: when it is the limit, the
 * ratio is lower than the worker's own.
 */
#include "relay_fork.h"

#include <inttypes.h>
#include <stdlib.h>

#define LEGS          (2 * HOUSE_CALLS_MAX)
#define SPARE         4
#define TURN_NS       UINT64_C(500000000)
#define WARM_UPS_MAX  20
#define PACKETS_MAX   32768
#define QUARANTINE_NS 1
#define METRIC        "nic-checksums"

struct bench {
	struct house house;
	const struct relay_fork *fork;
	struct stw_session *sessions;
	struct stw_fork *forks;
	uint64_t lost;    /* relayed packets of turns with forks */
	uint64_t copied;  /* packets whose copies had to arrive */
	uint64_t arrived; /* copies that did */
};

static void
forks_add(struct bench *bench)
{
	for (uint32_t call = 0; call < HOUSE_CALLS_MAX; call++) {
		struct stw_fork_config config = STW_FORK_CONFIG_INIT;

		bench->fork->describe(call, &config);
		house_must(&bench->house,
			   stw_fork_add(bench->house.media, bench->sessions[call], &config,
					rounds_now_ns(), &bench->forks[call]),
			   "stw_fork_add");
	}
}

static void
forks_remove(struct bench *bench)
{
	for (uint32_t call = 0; call < HOUSE_CALLS_MAX; call++)
		house_must(&bench->house, stw_fork_remove(bench->house.media, bench->forks[call]),
			   "stw_fork_remove");
	/* Each call frees a bounded number, and ends a bounded number of rests. */
	for (uint32_t i = 0; i < 2 * HOUSE_CALLS_MAX / 4096 + 2; i++)
		stw_media_advance(bench->house.media, rounds_now_ns());
}

/* Let next hops be found, until every packet has its copy. */
static void
warm_up(struct bench *bench)
{
	struct generator_count count;

	for (int i = 0; i < WARM_UPS_MAX; i++) {
		stw_media_advance(bench->house.media, rounds_now_ns());
		generator_run(bench->house.generator, 0, true, &count);
		if (count.wrong || count.returned != LEGS)
			rounds_die("%s: of %d packets %" PRIu64 " came back, %" PRIu64 " wrong",
				   bench->fork->bench, LEGS, count.returned, count.wrong);
		if (bench->fork->arrived(&count) == LEGS)
			return;
	}
	rounds_die("%s: of %d packets %" PRIu64 " copies arrived", bench->fork->bench, LEGS,
		   bench->fork->arrived(&count));
}

static double
rate_of_turn(struct bench *bench, bool forked)
{
	struct generator_count count;

	if (forked)
		forks_add(bench);
	relay_worker_do(bench->house.worker, RELAY_OURS);
	if (forked)
		warm_up(bench);
	generator_run(bench->house.generator, bench->house.options.quick ? TURN_NS / 10 : TURN_NS,
		      false, &count);
	if (forked) {
		bench->copied += count.sent;
		bench->arrived += bench->fork->arrived(&count);
		bench->lost += count.sent - count.returned;
		forks_remove(bench);
	}
	relay_worker_do(bench->house.worker, RELAY_REST);
	return (double)count.returned * 1e9 / (double)count.ns;
}

static void
run_round(struct bench *bench, unsigned round)
{
	struct rounds_metric line = {bench->fork->bench, "relay-without-forks", METRIC, "packets/s",
				     "higher"};
	double rates[2];

	/* Who goes first changes from round to round. */
	rates[round % 2] = rate_of_turn(bench, round % 2);
	rates[!(round % 2)] = rate_of_turn(bench, !(round % 2));
	rounds_print(&line, round, rates[1], rates[0]);
}

int
relay_fork_run(const struct relay_fork *fork, int argc, char **argv)
{
	struct bench bench = {.fork = fork};
	struct house *house = &bench.house;
	struct stw_media_config config = house_config(HOUSE_CALLS_MAX);

	bench.sessions = calloc(HOUSE_CALLS_MAX, sizeof(*bench.sessions));
	bench.forks = calloc(HOUSE_CALLS_MAX, sizeof(*bench.forks));
	if (!bench.sessions || !bench.forks)
		rounds_die("%s: no memory", fork->bench);
	house->spare_addresses = SPARE;
	house_open(house, fork->bench, argc, argv);
	config.forks_max = HOUSE_CALLS_MAX;
	config.packets_max = PACKETS_MAX;
	config.quarantine_ns = QUARANTINE_NS;
	house_media_make(house, &config);
	for (uint32_t call = 0; call < HOUSE_CALLS_MAX; call++)
		bench.sessions[call] = house_call_add(house, call, &house->streams[2 * call]);
	generator_load(house->generator, house->streams, LEGS, house->options.seed);
	generator_checksums(house->generator, true);
	house_warm_up(house, LEGS);
	if (fork->prepare)
		fork->prepare(house);
	for (unsigned round = 0; round < house->options.rounds; round++)
		run_round(&bench, round);
	/* A copy of the warm-up may be among those that arrived. */
	if (bench.arrived > bench.copied)
		bench.arrived = bench.copied;
	rounds_note(fork->bench,
		    "of %" PRIu64 " forked packets %.4f %% of the copies were dropped, and "
		    "%" PRIu64 " were not relayed",
		    bench.copied,
		    100.0 * (double)(bench.copied - bench.arrived) / (double)bench.copied,
		    bench.lost);
	generator_set_beside(house->generator, NULL, NULL);
	house_close(house);
	free(bench.sessions);
	free(bench.forks);
	return 0;
}

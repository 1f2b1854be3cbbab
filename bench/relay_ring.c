/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay-ring: packets a second relayed on one core between 200,000 legs (100,000 calls), hit in
 * random order with 172 bytes of RTP each, over two net_ring ports; a generator on another core
 * (relay_generator.h) plays the phones. In turns on the same ports, with the same packets:
 *
 *  ours     stw_media_poll: a packet plane of 8 addresses, no forks
 *  5tswap   swaps MAC addresses, IP addresses and UDP ports, as testpmd does: the least that
 *           forwarding can be
 *  forward  hands bursts from port to port without a look: what generator and rings can do
 *
 * Metric "nic-checksums": the buffers say that a NIC found the checksums right, so that nobody
 * adds them up. "software-checksums": nobody has looked yet. "legs-N": as the first, but only N of
 * the legs are hit, so that it shows how the cost grows with the memory that is touched. A rate is packets that came back by
 * the time from the first sent to the last returned. Before anything is timed, one packet for
 * each leg is relayed and checked: the right phone hears it, with right headers and checksums.
 */
#include <inttypes.h>

#include "relay_house.h"

#define BENCH   "relay-ring"
#define LEGS    (2 * HOUSE_CALLS_MAX)
#define TURN_NS UINT64_C(500000000)
#define WORKS   3

static const enum relay_work works[WORKS] = {RELAY_OURS, RELAY_SWAP, RELAY_FORWARD};
static const char *const work_names[WORKS] = {"strowger", "5tswap", "forward"};

/* What is measured: over all legs, and how the cost grows with their number. */
static const struct metric {
	const char *name;
	uint32_t legs;
	bool checked_by_nic;
} metrics[] = {
	{"nic-checksums", LEGS, true}, {"software-checksums", LEGS, false},
	{"legs-50000", 50000, true},   {"legs-1000", 1000, true},
	{"legs-1", 1, true},
};

struct bench {
	struct house house;
	uint64_t lost; /* of ours, in all timed turns */
};

static double
rate_of_turn(struct bench *bench, enum relay_work work)
{
	struct generator_count count;

	relay_worker_do(bench->house.worker, work);
	generator_run(bench->house.generator, bench->house.options.quick ? TURN_NS / 10 : TURN_NS,
		      false, &count);
	relay_worker_do(bench->house.worker, RELAY_REST);
	stw_media_advance(bench->house.media, rounds_now_ns());
	if (work == RELAY_OURS)
		bench->lost += count.sent - count.returned;
	else if (count.sent != count.returned)
		rounds_die("relay-ring: the rings lost packets");
	return (double)count.returned * 1e9 / (double)count.ns;
}

static void
run_round(struct bench *bench, unsigned round, const struct metric *metric)
{
	struct rounds_metric line = {BENCH, NULL, metric->name, "packets/s", "higher"};
	double rates[WORKS];

	/* Who goes first changes from round to round. */
	for (unsigned i = 0; i < WORKS; i++) {
		unsigned work = (i + round) % WORKS;

		rates[work] = rate_of_turn(bench, works[work]);
	}
	for (unsigned work = 1; work < WORKS; work++) {
		line.rival = work_names[work];
		rounds_print(&line, round, rates[0], rates[work]);
	}
	if (round == 0 && rates[1] > 0.9 * rates[2])
		rounds_note(BENCH,
			    "%s: 5tswap reaches %.2f of forward: generator and rings limit it",
			    metric->name, rates[1] / rates[2]);
	if (round == 0 && rates[0] > 0.9 * rates[2])
		rounds_note(BENCH, "%s: ours reaches %.2f of forward: generator and rings limit it",
			    metric->name, rates[0] / rates[2]);
}

/* A single leg's packets go to a phone that is not loaded: warmed up by the metrics before. */
static void
run_metric(struct bench *bench, const struct metric *metric)
{
	generator_load(bench->house.generator, bench->house.streams, metric->legs,
		       bench->house.options.seed);
	generator_checksums(bench->house.generator, metric->checked_by_nic);
	if (metric->legs > 1)
		house_warm_up(&bench->house, metric->legs);
	for (unsigned round = 0; round < bench->house.options.rounds; round++)
		run_round(bench, round, metric);
}

int
main(int argc, char **argv)
{
	struct bench bench = {0};
	struct house *house = &bench.house;
	struct stw_media_config config = house_config(HOUSE_CALLS_MAX);

	house_open(house, BENCH, argc, argv);
	house_media_make(house, &config);
	for (uint32_t call = 0; call < HOUSE_CALLS_MAX; call++)
		house_call_add(house, call, &house->streams[2 * call]);
	for (unsigned i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++)
		run_metric(&bench, &metrics[i]);
	if (bench.lost) {
		rounds_note(BENCH, "ours lost %" PRIu64 " packets", bench.lost);
		house_note_verdicts(house);
	}
	house_close(house);
	return 0;
}

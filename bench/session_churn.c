/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * session-churn: calls set up and torn down while others are relayed. 50,000 calls are relayed at full
 * rate; beside them the control thread adds and removes calls of two connected legs, 500 at a time,
 * between the generator's bursts on the same CPU. No packet of the others may be lost.
 *
 * Metrics, with the limit that each has as its rival:
 *   calls-alone           calls set up and torn down a second with no packet under way; rival: the
 *                         same thread writes as many bytes as a call takes, in as many places
 *   calls-beside-relay    the same while the worker relays; rival: alone, in the same turn
 *   relay-beside-churn    packets a second of the relay meanwhile, as far as the generator has time
 *                         for it; rival: the same share of time without churn
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "relay_house.h"

#define BENCH         "session-churn"
#define RELAYED_CALLS 50000
#define CHURNED_CALLS 500
#define CALL_BYTES    1024
#define PLACES        (1 << 16)
#define SLICE_NS      UINT64_C(2000000)

struct bench {
	struct house house;
	struct stw_session sessions[CHURNED_CALLS];
	struct generator_stream streams[CHURNED_CALLS][2];
	uint8_t *places;
	uint64_t seed;
	uint64_t changed; /* calls set up and torn down */
	uint64_t lost;    /* packets of other calls */
};

/* Set CHURNED_CALLS up, and tear them down; nanoseconds. */
static uint64_t
churn(struct bench *bench)
{
	uint64_t start_ns = rounds_now_ns();

	for (uint32_t i = 0; i < CHURNED_CALLS; i++)
		bench->sessions[i] =
			house_call_add(&bench->house, RELAYED_CALLS + i, bench->streams[i]);
	for (uint32_t i = 0; i < CHURNED_CALLS; i++)
		house_must(
			&bench->house,
			stw_session_remove(bench->house.media, bench->sessions[i], rounds_now_ns()),
			"stw_session_remove");
	stw_media_advance(bench->house.media, rounds_now_ns());
	bench->changed += CHURNED_CALLS;
	return rounds_now_ns() - start_ns;
}

/* The limit: write what a call takes, twice, in random places. */
static uint64_t
write_places(struct bench *bench)
{
	uint64_t start_ns = rounds_now_ns();

	for (uint32_t i = 0; i < 2 * CHURNED_CALLS; i++)
		memset(bench->places +
			       (size_t)rounds_random_below(&bench->seed, PLACES) * CALL_BYTES,
		       (int)i, CALL_BYTES);
	return rounds_now_ns() - start_ns;
}

static double
calls_per_second(uint64_t (*work)(struct bench *), struct bench *bench, unsigned times)
{
	uint64_t ns = 0;

	for (unsigned i = 0; i < times; i++)
		ns += work(bench);
	return (double)times * CHURNED_CALLS * 1e9 / (double)ns;
}

/* The generator for a slice, then churn or a rest as long; both rates. */
static void
beside(struct bench *bench, bool with_churn, unsigned times, double *packets, double *calls)
{
	uint64_t relay_ns = 0, churn_ns = 0, returned = 0;
	struct generator_count count;

	for (unsigned i = 0; i < times; i++) {
		generator_run(bench->house.generator, SLICE_NS, false, &count);
		bench->lost += count.sent - count.returned;
		returned += count.returned;
		relay_ns += count.ns;
		if (with_churn)
			churn_ns += churn(bench);
	}
	*packets = (double)returned * 1e9 / (double)relay_ns;
	*calls = churn_ns ? (double)times * CHURNED_CALLS * 1e9 / (double)churn_ns : 0;
}

static void
run_round(struct bench *bench, unsigned round)
{
	struct rounds_metric alone = {BENCH, "writing", "calls-alone", "calls/s", "higher"};
	struct rounds_metric both = {BENCH, "alone", "calls-beside-relay", "calls/s", "higher"};
	struct rounds_metric relay = {BENCH, "alone", "relay-beside-churn", "packets/s", "higher"};
	unsigned times = bench->house.options.quick ? 5 : 100;
	double packets[2], calls, calls_alone, written, unused;

	relay_worker_do(bench->house.worker, RELAY_OURS);
	written = calls_per_second(write_places, bench, times);
	calls_alone = calls_per_second(churn, bench, times);
	/* Who goes first changes from round to round. */
	if (round & 1)
		beside(bench, true, times, &packets[0], &calls);
	beside(bench, false, times, &packets[1], &unused);
	if (!(round & 1))
		beside(bench, true, times, &packets[0], &calls);
	rounds_print(&alone, round, calls_alone, written);
	rounds_print(&both, round, calls, calls_alone);
	rounds_print(&relay, round, packets[0], packets[1]);
}

int
main(int argc, char **argv)
{
	struct stw_media_config config = house_config(RELAYED_CALLS + 2 * CHURNED_CALLS);
	struct bench bench = {.seed = 1};

	house_open(&bench.house, BENCH, argc, argv);
	bench.seed = bench.house.options.seed;
	bench.places = calloc(PLACES, CALL_BYTES);
	if (!bench.places)
		rounds_die(BENCH ": no memory");
	config.quarantine_ns = 0;
	house_media_make(&bench.house, &config);
	for (uint32_t call = 0; call < RELAYED_CALLS; call++)
		house_call_add(&bench.house, call, &bench.house.streams[2 * call]);
	generator_load(bench.house.generator, bench.house.streams, 2 * RELAYED_CALLS,
		       bench.house.options.seed);
	generator_checksums(bench.house.generator, true);
	house_warm_up(&bench.house, 2 * RELAYED_CALLS);
	for (unsigned round = 0; round < bench.house.options.rounds; round++)
		run_round(&bench, round);
	rounds_note(BENCH,
		    "%" PRIu64 " calls set up and torn down, packets of others lost: %" PRIu64,
		    bench.changed, bench.lost);
	house_close(&bench.house);
	free(bench.places);
	return bench.lost ? 1 : 0;
}

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
 * adds them up. "software-checksums": nobody has looked yet. A rate is packets that came back by
 * the time from the first sent to the last returned. Before anything is timed, one packet for
 * each leg is relayed and checked: the right phone hears it, with right headers and checksums.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>

#include <strowger/error.h>
#include <strowger/media.h>

#include "relay_generator.h"
#include "relay_worker.h"
#include "rounds.h"

#define BENCH          "relay-ring"
#define CALLS          100000
#define LEGS           (2 * CALLS)
#define SIDE_ADDRESSES 4
#define ADDRESSES      (GENERATOR_PORTS * SIDE_ADDRESSES)
#define UDP_PORT_FIRST 10000
#define UDP_PORT_LAST  61999
#define MEMORY_MIB     1024
#define WARM_UPS_MAX   100
#define TURN_NS        UINT64_C(500000000)
#define WORKS          3
#define METRICS        2

static const enum relay_work works[WORKS] = {RELAY_OURS, RELAY_SWAP, RELAY_FORWARD};
static const char *const work_names[WORKS] = {"strowger", "5tswap", "forward"};
static const char *const metric_names[METRICS] = {"nic-checksums", "software-checksums"};

struct bench {
	struct rounds_options options;
	struct generator *generator;
	struct relay_worker *worker;
	struct stw_media *media;
	uint16_t ports[GENERATOR_PORTS];
	struct generator_stream *streams;
	uint64_t lost; /* of ours, in all timed turns */
};

static void
must(int error, const char *what)
{
	if (error < 0)
		rounds_die("relay-ring: %s: %s", what, stw_error_text(error));
}

static struct stw_ip
ip_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct stw_ip ip = {.family = 4, .bytes = {a, b, c, d}};

	return ip;
}

/* Generator on the first CPU, worker on the last; they must differ. */
static void
start_eal(void)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t worker_cpu = (uint32_t)(cpus - 1);
	cpu_set_t first;

	if (cpus < 2)
		rounds_die("relay-ring: needs two CPUs, one of them for the generator");
	config.memory_mib = MEMORY_MIB;
	config.worker_cpus = &worker_cpu;
	config.worker_cpus_count = 1;
	must(stw_eal_start(&config), "stw_eal_start");
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		rounds_note(BENCH, "the generator could not be bound to CPU 0");
}

static void
create_media(struct bench *bench)
{
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_port_config ports[GENERATOR_PORTS];
	struct stw_address_config addresses[ADDRESSES];

	for (uint32_t i = 0; i < GENERATOR_PORTS; i++) {
		struct stw_ip gateway = ip_of(10, 0, (uint8_t)i, 254);

		ports[i] = (struct stw_port_config){STW_PORT_TAKEN, NULL, bench->ports[i],
						    STW_XDP_NONE};
		generator_gateway(bench->generator, i, &gateway);
	}
	for (uint32_t i = 0; i < ADDRESSES; i++) {
		uint8_t port = (uint8_t)(i / SIDE_ADDRESSES);

		addresses[i] = (struct stw_address_config){
			.port = port,
			.ip = ip_of(10, 0, port, (uint8_t)(1 + i % SIDE_ADDRESSES)),
			.prefix_bits = 24,
			.gateway = ip_of(10, 0, port, 254),
			.udp_port_first = UDP_PORT_FIRST,
			.udp_port_last = UDP_PORT_LAST,
		};
	}
	config.ports = ports;
	config.ports_count = GENERATOR_PORTS;
	config.addresses = addresses;
	config.addresses_count = ADDRESSES;
	config.sessions_max = CALLS;
	config.legs_max = LEGS;
	config.forks_max = 1;
	config.playouts_max = 1;
	config.playout_packets_max = 1;
	config.packets_max = 4096;
	config.fork_packets_max = 64;
	/* One event for each leg that latches. */
	config.events_max = 1 << 19;
	must(stw_media_create(&bench->media, &config), "stw_media_create");
}

/* One call: two legs, the callers' by the first port, the agents' by the second. */
static void
add_call(struct bench *bench, uint32_t call)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_session session;
	struct stw_leg legs[2];

	session_config.cookie = call;
	must(stw_session_add(bench->media, &session_config, &session), "stw_session_add");
	for (uint32_t side = 0; side < 2; side++) {
		uint32_t index = 2 * call + side;
		struct generator_stream *stream = &bench->streams[index];
		struct stw_leg_config config = STW_LEG_CONFIG_INIT;

		/* Phones live behind the gateway, in the block set aside for benches (RFC 2544). */
		stream->phone.ip =
			ip_of(198, (uint8_t)(18 + side), (uint8_t)(call >> 8), (uint8_t)call);
		stream->phone.port = (uint16_t)(20000 + 2 * (call >> 16));
		stream->port = side;
		stream->back = 2 * call + !side;
		config.side = side == 0 ? STW_SIDE_CALLER : STW_SIDE_AGENT;
		config.address = side * SIDE_ADDRESSES + call % SIDE_ADDRESSES;
		config.remote = stream->phone;
		must(stw_leg_add(bench->media, session, &config, rounds_now_ns(), &legs[side],
				 &stream->leg),
		     "stw_leg_add");
	}
	must(stw_leg_connect(bench->media, legs[0], legs[1]), "stw_leg_connect");
	must(stw_leg_connect(bench->media, legs[1], legs[0]), "stw_leg_connect");
}

static void
note_verdicts(const struct bench *bench)
{
	struct stw_media_stats stats;

	stw_media_stats(bench->media, &stats);
	for (int i = 0; i < STW_VERDICT_COUNT; i++) {
		if (stats.verdicts[i])
			rounds_note(BENCH, "verdict %s: %" PRIu64, stw_verdict_name(i),
				    stats.verdicts[i]);
	}
}

/* Let legs latch and next hops be found, until every packet is heard by the right phone. */
static void
warm_up(struct bench *bench)
{
	struct generator_count count;

	relay_worker_do(bench->worker, RELAY_OURS);
	for (int i = 0; i < WARM_UPS_MAX; i++) {
		stw_media_advance(bench->media, rounds_now_ns());
		generator_run(bench->generator, 0, true, &count);
		if (count.returned == LEGS && count.wrong == 0)
			return;
	}
	note_verdicts(bench);
	rounds_die("relay-ring: of %" PRIu64 " packets %" PRIu64 " came back, %" PRIu64
		   " of them wrong",
		   count.sent, count.returned, count.wrong);
}

static double
rate_of_turn(struct bench *bench, enum relay_work work)
{
	struct generator_count count;

	relay_worker_do(bench->worker, work);
	generator_run(bench->generator, bench->options.quick ? TURN_NS / 10 : TURN_NS, false,
		      &count);
	relay_worker_do(bench->worker, RELAY_REST);
	stw_media_advance(bench->media, rounds_now_ns());
	if (work == RELAY_OURS)
		bench->lost += count.sent - count.returned;
	else if (count.sent != count.returned)
		rounds_die("relay-ring: the rings lost packets");
	return (double)count.returned * 1e9 / (double)count.ns;
}

static void
run_round(struct bench *bench, unsigned round, int metric)
{
	struct rounds_metric line = {BENCH, NULL, metric_names[metric], "packets/s", "higher"};
	double rates[WORKS];

	generator_checksums(bench->generator, metric == 0);
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
			    metric_names[metric], rates[1] / rates[2]);
	if (round == 0 && rates[0] > 0.9 * rates[2])
		rounds_note(BENCH, "%s: ours reaches %.2f of forward: generator and rings limit it",
			    metric_names[metric], rates[0] / rates[2]);
}

static void
finish(struct bench *bench)
{
	struct stw_media_stats stats;
	uint64_t verdicts = 0;

	stw_media_stats(bench->media, &stats);
	for (int i = 0; i < STW_VERDICT_COUNT; i++)
		verdicts += stats.verdicts[i];
	if (bench->lost) {
		rounds_note(BENCH, "ours lost %" PRIu64 " packets", bench->lost);
		note_verdicts(bench);
	}
	if (verdicts != stats.packets_received)
		rounds_die("relay-ring: verdicts add up to %" PRIu64 ", received were %" PRIu64,
			   verdicts, stats.packets_received);
	relay_worker_stop(bench->worker);
	stw_media_destroy(bench->media);
	generator_destroy(bench->generator);
	stw_eal_stop();
	free(bench->streams);
}

int
main(int argc, char **argv)
{
	struct bench bench = {0};

	rounds_parse(&bench.options, argc, argv);
	bench.streams = calloc(LEGS, sizeof(*bench.streams));
	if (!bench.streams)
		rounds_die("relay-ring: no memory");
	start_eal();
	bench.generator = generator_create(bench.ports);
	create_media(&bench);
	for (uint32_t call = 0; call < CALLS; call++)
		add_call(&bench, call);
	generator_load(bench.generator, bench.streams, LEGS, bench.options.seed);
	bench.worker = relay_worker_start(bench.media, bench.ports);
	for (int metric = 0; metric < METRICS; metric++) {
		generator_checksums(bench.generator, metric == 0);
		warm_up(&bench);
		for (unsigned round = 0; round < bench.options.rounds; round++)
			run_round(&bench, round, metric);
	}
	finish(&bench);
	return 0;
}

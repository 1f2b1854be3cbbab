/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet plane between two rings with a generator behind them.
 */
#include "relay_house.h"

#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <strowger/error.h>

#define UDP_PORT_FIRST 10000
#define UDP_PORT_LAST  61999
#define MEMORY_MIB     1024
#define WARM_UPS_MAX   100

void
house_must(const struct house *house, int error, const char *what)
{
	if (error < 0)
		rounds_die("%s: %s: %s", house->bench, what, stw_error_text(error));
}

static struct stw_ip
ip_of(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	struct stw_ip ip = {.family = 4, .bytes = {a, b, c, d}};

	return ip;
}

void
house_open(struct house *house, const char *bench, int argc, char **argv)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t worker_cpu = (uint32_t)(cpus - 1);
	cpu_set_t first;

	house->bench = bench;
	rounds_parse(&house->options, argc, argv);
	house->streams = calloc(2 * HOUSE_CALLS_MAX, sizeof(*house->streams));
	house->legs = calloc(2 * HOUSE_CALLS_MAX, sizeof(*house->legs));
	if (!house->streams || !house->legs)
		rounds_die("%s: no memory", bench);
	if (cpus < 2)
		rounds_die("%s: needs two CPUs, one of them for the generator", bench);
	config.memory_mib = MEMORY_MIB;
	config.worker_cpus = &worker_cpu;
	config.worker_cpus_count = 1;
	house_must(house, stw_eal_start(&config), "stw_eal_start");
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		rounds_note(bench, "the generator could not be bound to CPU 0");
	house->generator = generator_create(house->ports);
}

struct stw_media_config
house_config(uint32_t calls)
{
	/* The generator keeps the rings full: that is no overload. */
	static struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;

	worker.overload_bursts = STW_OVERLOAD_NEVER;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	config.sessions_max = calls;
	config.legs_max = 2 * calls;
	config.forks_max = 1;
	config.playouts_max = 1;
	config.playout_packets_max = 1;
	config.packets_max = 4096;
	config.fork_packets_max = 64;
	/* One event for each leg that latches. */
	config.events_max = 1 << 19;
	return config;
}

void
house_media_make(struct house *house, struct stw_media_config *config)
{
	struct stw_port_config ports[GENERATOR_PORTS];
	struct stw_address_config addresses[HOUSE_SPARE_FIRST + HOUSE_SPARE_MAX];
	uint32_t count = HOUSE_SPARE_FIRST + house->spare_addresses;

	for (uint32_t i = 0; i < GENERATOR_PORTS; i++) {
		struct stw_ip gateway = ip_of(10, 0, (uint8_t)i, 254);

		ports[i] = (struct stw_port_config){STW_PORT_TAKEN, NULL, house->ports[i],
						    STW_XDP_NONE};
		generator_gateway(house->generator, i, &gateway);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint8_t port = (uint8_t)(i < HOUSE_SPARE_FIRST ? i / HOUSE_SIDE_ADDRESSES
							       : i % GENERATOR_PORTS);

		addresses[i] = (struct stw_address_config){
			.port = port,
			.ip = ip_of(10, 0, port,
				    (uint8_t)(1 + (i < HOUSE_SPARE_FIRST ? i % HOUSE_SIDE_ADDRESSES
									 : i))),
			.prefix_bits = 24,
			.gateway = ip_of(10, 0, port, 254),
			.udp_port_first = UDP_PORT_FIRST,
			.udp_port_last = UDP_PORT_LAST,
		};
	}
	config->ports = ports;
	config->ports_count = GENERATOR_PORTS;
	config->addresses = addresses;
	config->addresses_count = count;
	house_must(house, stw_media_create(&house->media, config), "stw_media_create");
	house->worker = relay_worker_start(house->media, house->ports);
}

struct stw_session
house_call_add(struct house *house, uint32_t call, struct generator_stream streams[2])
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_session session;
	struct stw_leg legs[2];

	session_config.cookie = call;
	house_must(house, stw_session_add(house->media, &session_config, &session),
		   "stw_session_add");
	for (uint32_t side = 0; side < 2; side++) {
		struct generator_stream *stream = &streams[side];
		struct stw_leg_config config = STW_LEG_CONFIG_INIT;

		/* Phones live behind the gateway, in the block set aside for benches (RFC 2544). */
		stream->phone.ip =
			ip_of(198, (uint8_t)(18 + side), (uint8_t)(call >> 8), (uint8_t)call);
		stream->phone.port = (uint16_t)(20000 + 2 * (call >> 16));
		stream->port = side;
		stream->back = 2 * call + !side;
		config.side = side == 0 ? STW_SIDE_CALLER : STW_SIDE_AGENT;
		config.address = side * HOUSE_SIDE_ADDRESSES + call % HOUSE_SIDE_ADDRESSES;
		config.remote = stream->phone;
		house_must(house,
			   stw_leg_add(house->media, session, &config, rounds_now_ns(), &legs[side],
				       &stream->leg),
			   "stw_leg_add");
	}
	if (call < HOUSE_CALLS_MAX)
		memcpy(&house->legs[2 * call], legs, sizeof(legs));
	house_must(house, stw_leg_connect(house->media, legs[0], legs[1]), "stw_leg_connect");
	house_must(house, stw_leg_connect(house->media, legs[1], legs[0]), "stw_leg_connect");
	return session;
}

void
house_note_verdicts(const struct house *house)
{
	struct stw_media_stats stats;

	stw_media_stats(house->media, &stats);
	for (int i = 0; i < STW_VERDICT_COUNT; i++) {
		if (stats.verdicts[i])
			rounds_note(house->bench, "verdict %s: %" PRIu64, stw_verdict_name(i),
				    stats.verdicts[i]);
	}
}

void
house_warm_up(struct house *house, uint32_t legs)
{
	struct generator_count count;

	relay_worker_do(house->worker, RELAY_OURS);
	for (int i = 0; i < WARM_UPS_MAX; i++) {
		stw_media_advance(house->media, rounds_now_ns());
		generator_run(house->generator, 0, true, &count);
		if (count.returned == legs && count.wrong == 0)
			return;
	}
	house_note_verdicts(house);
	rounds_die("%s: of %" PRIu64 " packets %" PRIu64 " came back, %" PRIu64 " of them wrong",
		   house->bench, count.sent, count.returned, count.wrong);
}

void
house_close(struct house *house)
{
	struct stw_media_stats stats;
	uint64_t verdicts = 0;

	relay_worker_do(house->worker, RELAY_REST);
	stw_media_stats(house->media, &stats);
	for (int i = 0; i < STW_VERDICT_COUNT; i++)
		verdicts += stats.verdicts[i];
	if (verdicts != stats.packets_received)
		rounds_die("%s: verdicts add up to %" PRIu64 ", received were %" PRIu64,
			   house->bench, verdicts, stats.packets_received);
	relay_worker_stop(house->worker);
	stw_media_destroy(house->media);
	generator_destroy(house->generator);
	stw_eal_stop();
	free(house->streams);
	free(house->legs);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * srtp: packets a second from SRTP to SRTP on one core, 160 bytes of payload each, with one key and with
 * 20,000 distinct keys each way in random order. In turns:
 *
 *  ours         stw_media_poll over two net_ring ports: unprotect, relay, protect
 *  crypto-perf  the two operations as dpdk-test-crypto-perf counts them, of one key: the limit
 *  raw          the same two operations in this process, of as many keys, nothing around them
 *  libsrtp2     srtp_unprotect and srtp_protect on contexts of each stream
 *
 * Packets are made before the clock runs, a batch at a time; those that come back are counted, and
 * some of the first batch checked by libsrtp2. libsrtp2 gets 256 keys at most: it works by NSS, whose
 * operations take the longer the more keys there are.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <strowger/error.h>
#include <strowger/media.h>

#include "rounds.h"
#include "srtp_raw.h"
#include "srtp_source.h"

#define BENCH          "srtp"
#define PORTS          2
#define BURST          64
#define BATCH          1024
#define RING_PACKETS   2048
#define BATCHES        60
#define KEYS_MANY      20000
#define RIVAL_KEYS_MAX 256
#define RIVAL_BATCHES  2
#define CHECKED        16
#define UDP_PORT_FIRST 10000
#define UDP_PORT_LAST  61999
#define HEADER_BYTES                                                                               \
	(sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr))

enum side { OURS, PERF, RAW, LIBSRTP, SIDES };

static const char *const side_names[SIDES] = {"strowger", "crypto-perf", "raw", "libsrtp2"};

struct bench {
	struct rounds_options options;
	struct stw_media *media;
	struct rte_ring *in[PORTS], *out[PORTS];
	uint16_t ports[PORTS];
	struct rte_mempool *buffers;
	struct source *source;
	struct source *rival_source; /* streams of the rival's own: it keeps count of all packets */
	struct rival *rival;
	struct raw *raw;
	uint32_t keys;
	bool aead;
	uint32_t order[BATCH];
	uint64_t seed;
	uint64_t now_ns;
	bool checked; /* this metric's packets: libsrtp2 has not followed the later ones' roll-overs */
};

static void
must(int error, const char *what)
{
	if (error < 0)
		rounds_die("srtp: %s: %s", what, stw_error_text(error));
}

static void
eal_start(void)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	cpu_set_t last;

	config.memory_mib = 1024;
	must(stw_eal_start(&config), "stw_eal_start");
	CPU_ZERO(&last);
	CPU_SET((int)sysconf(_SC_NPROCESSORS_ONLN) - 1, &last);
	if (sched_setaffinity(0, sizeof(last), &last))
		rounds_note(BENCH, "could not be bound to one CPU");
}

static void
ports_make(struct bench *bench)
{
	static unsigned serial;

	bench->buffers = rte_pktmbuf_pool_create("bench_buffers", 8191, 0, 0,
						 RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	for (unsigned i = 0; i < PORTS; i++) {
		char names[3][32];
		int port;

		snprintf(names[0], sizeof(names[0]), "bench_%u", serial);
		snprintf(names[1], sizeof(names[1]), "bench_rx_%u", serial);
		snprintf(names[2], sizeof(names[2]), "bench_tx_%u", serial);
		serial++;
		bench->in[i] = rte_ring_create(names[1], RING_PACKETS, SOCKET_ID_ANY, 0);
		bench->out[i] = rte_ring_create(names[2], RING_PACKETS, SOCKET_ID_ANY, 0);
		port = rte_eth_from_rings(names[0], &bench->in[i], 1, &bench->out[i], 1, 0);
		if (port < 0 || !bench->buffers)
			rounds_die("srtp: no memory for ports");
		bench->ports[i] = (uint16_t)port;
	}
}

static void
media_create(struct bench *bench)
{
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_address_config addresses[PORTS];
	struct stw_port_config ports[PORTS];

	for (unsigned i = 0; i < PORTS; i++) {
		ports[i] = (struct stw_port_config){STW_PORT_TAKEN, NULL, bench->ports[i],
						    STW_XDP_NONE};
		addresses[i] = (struct stw_address_config){
			.port = i,
			.ip = {4, {10, 0, (uint8_t)i, 1}},
			.prefix_bits = 24,
			.udp_port_first = UDP_PORT_FIRST,
			.udp_port_last = UDP_PORT_LAST,
		};
	}
	/* The ring is always full: that is no overload. */
	worker.overload_bursts = STW_OVERLOAD_NEVER;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	config.ports = ports;
	config.ports_count = PORTS;
	config.addresses = addresses;
	config.addresses_count = PORTS;
	config.sessions_max = bench->keys;
	config.legs_max = 2 * bench->keys;
	config.srtp_max = 2 * bench->keys;
	config.events_max = 1 << 16;
	must(stw_media_create(&bench->media, &config), "stw_media_create");
}

static void
call_add(struct bench *bench, uint32_t stream)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_srtp_keys in = source_keys(bench->aead, stream, true);
	struct stw_srtp_keys out = source_keys(bench->aead, stream, false);
	const struct stw_endpoint agent = {{4, {10, 0, 1, 50}}, 40000};
	struct stw_session session;
	struct stw_leg legs[2];

	must(stw_session_add(bench->media, &session_config, &session), "stw_session_add");
	for (unsigned side = 0; side < 2; side++) {
		struct stw_leg_config config = STW_LEG_CONFIG_INIT;
		struct stw_endpoint local;

		config.side = side ? STW_SIDE_AGENT : STW_SIDE_CALLER;
		config.address = side;
		config.remote = side ? agent : source_phone(bench->source, stream);
		config.srtp_in = side ? NULL : &in;
		config.srtp_out = side ? &out : NULL;
		must(stw_leg_add(bench->media, session, &config, bench->now_ns, &legs[side],
				 &local),
		     "stw_leg_add");
		if (!side)
			source_aim(bench->source, stream, &local);
	}
	must(stw_leg_connect(bench->media, legs[0], legs[1]), "stw_leg_connect");
}

/* Make the next batch, of random streams below `keys`, into a ring. */
static void
batch_make(struct bench *bench, struct source *source, uint32_t keys, struct rte_ring *ring)
{
	struct rte_mbuf *mbufs[BURST];

	for (unsigned i = 0; i < BATCH; i += BURST) {
		for (unsigned j = 0; j < BURST; j++)
			bench->order[i + j] = rounds_random_below(&bench->seed, keys);
		source_make(source, &bench->order[i], BURST, mbufs);
		if (rte_ring_enqueue_bulk(ring, (void **)mbufs, BURST, NULL) != BURST)
			rounds_die("srtp: the ring is full");
	}
}

/* Take what the agents got; how many. Others than RTP are questions for the next hop. */
static unsigned
batch_take(struct bench *bench, bool check)
{
	struct rte_mbuf *mbuf;
	unsigned count = 0;

	while (rte_ring_dequeue(bench->out[1], (void **)&mbuf) == 0) {
		uint8_t *packet = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, HEADER_BYTES);

		if (mbuf->pkt_len > HEADER_BYTES + SRTP_RTP_BYTES) {
			/* They come in the order in which they were sent. */
			if (check && count < CHECKED &&
			    !rival_agrees(bench->aead, bench->order[count], packet,
					  (int)(mbuf->pkt_len - HEADER_BYTES)))
				rounds_die("srtp: a packet is not what was sent");
			count++;
		}
		rte_pktmbuf_free(mbuf);
	}
	while (rte_ring_dequeue(bench->out[0], (void **)&mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	return count;
}

/* Relay one batch; the time that the polls took. */
static uint64_t
batch_relay(struct bench *bench, bool check, unsigned *returned)
{
	uint64_t start_ns, ns;

	batch_make(bench, bench->source, bench->keys, bench->in[0]);
	bench->now_ns += 20000000;
	start_ns = rounds_now_ns();
	while (rte_ring_count(bench->in[0]))
		must(stw_media_poll(bench->media, 0, bench->now_ns), "stw_media_poll");
	ns = rounds_now_ns() - start_ns;
	*returned = batch_take(bench, check);
	return ns;
}

static double
rate_ours(struct bench *bench)
{
	unsigned batches = bench->options.quick ? BATCHES / 10 : BATCHES, returned;
	uint64_t ns = 0;

	for (unsigned i = 0; i < batches; i++) {
		ns += batch_relay(bench, !bench->checked, &returned);
		bench->checked = true;
		if (returned != BATCH)
			rounds_die("srtp: of %u packets %u came back", BATCH, returned);
	}
	stw_media_advance(bench->media, bench->now_ns);
	return (double)batches * BATCH * 1e9 / (double)ns;
}

static double
rate_libsrtp(struct bench *bench)
{
	uint32_t keys = bench->keys < RIVAL_KEYS_MAX ? bench->keys : RIVAL_KEYS_MAX;
	unsigned batches = bench->options.quick ? 1 : RIVAL_BATCHES;
	struct rte_mbuf *mbufs[BATCH];
	uint64_t ns = 0;

	for (unsigned batch = 0; batch < batches; batch++) {
		uint64_t start_ns;

		batch_make(bench, bench->rival_source, keys, bench->in[1]);
		rte_ring_dequeue_bulk(bench->in[1], (void **)mbufs, BATCH, NULL);
		start_ns = rounds_now_ns();
		for (unsigned i = 0; i < BATCH; i++)
			rival_relay(bench->rival, bench->order[i],
				    rte_pktmbuf_mtod_offset(mbufs[i], uint8_t *, HEADER_BYTES),
				    (int)(mbufs[i]->pkt_len - HEADER_BYTES));
		ns += rounds_now_ns() - start_ns;
		rte_pktmbuf_free_bulk(mbufs, BATCH);
	}
	return (double)batches * BATCH * 1e9 / (double)ns;
}

static double
rate_of(struct bench *bench, unsigned side)
{
	uint32_t packets = BATCH * (bench->options.quick ? BATCHES / 10 : BATCHES);

	switch (side) {
	case OURS:
		return rate_ours(bench);
	case PERF:
		return raw_perf_rate(bench->aead, bench->options.quick);
	case RAW:
		return raw_rate(bench->raw, packets, &bench->seed);
	default:
		return rate_libsrtp(bench);
	}
}

static void
round_run(struct bench *bench, unsigned round, const char *metric)
{
	struct rounds_metric line = {BENCH, NULL, metric, "packets/s", "higher"};
	double rates[SIDES];

	for (unsigned i = 0; i < SIDES; i++) {
		unsigned side = (i + round) % SIDES;

		rates[side] = rate_of(bench, side);
	}
	for (unsigned side = 1; side < SIDES; side++) {
		line.rival = side_names[side];
		if (rates[side] > 0)
			rounds_print(&line, round, rates[OURS], rates[side]);
		else if (round == 0)
			rounds_note(BENCH, "%s could not be run", side_names[side]);
	}
}

/* Let the agents' link address be known. */
static void
warm_up(struct bench *bench)
{
	static const uint8_t agent[4] = {10, 0, 1, 50}, local[4] = {10, 0, 1, 1};
	unsigned returned = 0;

	for (int i = 0; i < 20 && returned != BATCH; i++) {
		source_arp(bench->buffers, bench->in[1], agent, local);
		must(stw_media_poll(bench->media, 0, bench->now_ns), "stw_media_poll");
		batch_relay(bench, i == 0, &returned);
	}
	if (returned != BATCH)
		rounds_die("srtp: of %u packets %u came back", BATCH, returned);
}

/* The rival, and streams that reach it only. */
static void
rival_make(struct bench *bench, uint32_t keys)
{
	const struct stw_endpoint nowhere = {{4, {10, 0, 0, 1}}, UDP_PORT_FIRST};

	bench->rival = rival_create(bench->aead, keys);
	bench->rival_source = source_create(bench->aead, keys, bench->buffers);
	for (uint32_t i = 0; i < keys; i++)
		source_aim(bench->rival_source, i, &nowhere);
}

static void
metric_run(struct bench *bench, bool aead, uint32_t keys)
{
	struct stw_srtp_info info;
	char metric[48];

	bench->aead = aead;
	bench->keys = keys;
	bench->checked = false;
	bench->seed = bench->options.seed;
	bench->now_ns = rounds_now_ns();
	bench->source = source_create(aead, keys, bench->buffers);
	rival_make(bench, keys < RIVAL_KEYS_MAX ? keys : RIVAL_KEYS_MAX);
	media_create(bench);
	for (uint32_t i = 0; i < keys; i++)
		call_add(bench, i);
	bench->raw = raw_create(aead, keys);
	must(stw_srtp_info(bench->media, &info), "stw_srtp_info");
	warm_up(bench);
	snprintf(metric, sizeof(metric), "%s-%u-%s", aead ? "gcm" : "cm", keys,
		 keys == 1 ? "key" : "keys");
	for (unsigned round = 0; round < bench->options.rounds; round++)
		round_run(bench, round, metric);
	rounds_note(BENCH, "%s: %u bytes for each key set, sessions included", metric,
		    info.context_bytes);
	raw_destroy(bench->raw);
	stw_media_destroy(bench->media);
	rival_destroy(bench->rival);
	source_destroy(bench->source);
	source_destroy(bench->rival_source);
}

int
main(int argc, char **argv)
{
	struct bench bench = {0};

	rounds_parse(&bench.options, argc, argv);
	eal_start();
	for (unsigned i = 0; i < 4; i++) {
		uint32_t many = bench.options.quick ? KEYS_MANY / 10 : KEYS_MANY;

		ports_make(&bench);
		metric_run(&bench, i / 2, i % 2 ? many : 1);
		for (unsigned port = 0; port < PORTS; port++) {
			rte_ring_free(bench.in[port]);
			rte_ring_free(bench.out[port]);
		}
		rte_mempool_free(bench.buffers);
	}
	stw_eal_stop();
	return 0;
}

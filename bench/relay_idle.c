/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay-idle: what each step of idling adds to a packet's way through a worker. One call over two net_ring
 * ports; the generator, on another core, sends one packet at a time into a worker that has had nothing to do
 * for as long as the step needs, and looks for it on the other side. In turns with a worker that polls:
 *
 *  sleep  the worker is between two sleeps of 100 us
 *  doze   it waits, for a port that has no descriptor: it looks each millisecond
 *
 * What a wait for a descriptor adds is the kernel's wake-up, which relay-veth has in its latencies.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <strowger/error.h>
#include <strowger/media.h>

#include "rounds.h"

#define BENCH         "relay-idle"
#define PORTS         2
#define PACKETS       400
#define PACKETS_QUICK 40
#define LATCH_TRIES   1000
#define GIVE_UP_NS    UINT64_C(1000000000)
#define RTP_BYTES     172
#define FRAME_BYTES   (42 + RTP_BYTES)
#define PHONE_PORT    40000
#define UDP_FIRST     20000

enum step {
	STEP_SLEEP, /* 0.5 ms without work */
	STEP_DOZE,  /* 5 ms */
	STEPS
};

static const char *const step_names[STEPS] = {"sleep", "doze"};
static const uint64_t step_ns[STEPS] = {500000, 5000000};

struct bench {
	struct rte_ring *in[PORTS], *out[PORTS];
	struct rte_mempool *pool;
	uint16_t ports[PORTS];
	struct stw_media *media;
	struct stw_endpoint local[PORTS];
	uint16_t sequence;
};

static void
must(int error, const char *what)
{
	if (error < 0)
		rounds_die(BENCH ": %s: %s", what, stw_error_text(error));
}

/* Generator on the first CPU, worker on the last. */
static void
start_eal(void)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t worker_cpu = (uint32_t)(cpus - 1);
	cpu_set_t first;

	if (cpus < 2)
		rounds_die(BENCH ": needs two CPUs, one of them for the generator");
	config.worker_cpus = &worker_cpu;
	config.worker_cpus_count = 1;
	must(stw_eal_start(&config), "stw_eal_start");
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		rounds_note(BENCH, "the generator could not be bound to CPU 0");
}

static void
make_ports(struct bench *bench)
{
	static const char *const names[PORTS][3] = {{"idle_in0", "idle_out0", "idle0"},
						    {"idle_in1", "idle_out1", "idle1"}};

	bench->pool = rte_pktmbuf_pool_create("idle_buffers", 1023, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					      SOCKET_ID_ANY);
	for (unsigned i = 0; i < PORTS; i++) {
		int port;

		bench->in[i] = rte_ring_create(names[i][0], 64, SOCKET_ID_ANY, 0);
		bench->out[i] = rte_ring_create(names[i][1], 64, SOCKET_ID_ANY, 0);
		if (!bench->pool || !bench->in[i] || !bench->out[i])
			rounds_die(BENCH ": no memory for rings");
		port = rte_eth_from_rings(names[i][2], &bench->in[i], 1, &bench->out[i], 1, 0);
		must(port, "rte_eth_from_rings");
		bench->ports[i] = (uint16_t)port;
	}
}

static void
add_call(struct bench *bench)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_session session;
	struct stw_leg legs[PORTS];

	must(stw_session_add(bench->media, &session_config, &session), "stw_session_add");
	for (unsigned i = 0; i < PORTS; i++) {
		struct stw_leg_config config = STW_LEG_CONFIG_INIT;

		config.side = i ? STW_SIDE_AGENT : STW_SIDE_CALLER;
		config.address = i;
		config.source_any_ip = 1;
		must(stw_leg_add(bench->media, session, &config, rounds_now_ns(), &legs[i],
				 &bench->local[i]),
		     "stw_leg_add");
	}
	must(stw_leg_connect(bench->media, legs[0], legs[1]), "stw_leg_connect");
	must(stw_leg_connect(bench->media, legs[1], legs[0]), "stw_leg_connect");
}

static void
create_media(struct bench *bench, enum stw_idle_mode idle)
{
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
	struct stw_address_config addresses[PORTS];
	struct stw_port_config ports[PORTS];

	for (unsigned i = 0; i < PORTS; i++) {
		ports[i] = (struct stw_port_config){STW_PORT_TAKEN, NULL, bench->ports[i],
						    STW_XDP_NONE};
		addresses[i] = (struct stw_address_config){
			.port = i,
			.ip = {4, {10, 0, (uint8_t)i, 1}},
			.prefix_bits = 24,
			.udp_port_first = UDP_FIRST,
			.udp_port_last = UDP_FIRST + 99,
		};
	}
	worker.idle = idle;
	config.ports = ports;
	config.ports_count = PORTS;
	config.addresses = addresses;
	config.addresses_count = PORTS;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	must(stw_media_create(&bench->media, &config), "stw_media_create");
	add_call(bench);
	must(stw_media_start(bench->media), "stw_media_start");
}

/* A phone's packet as a NIC gives it that has checked it. */
static struct rte_mbuf *
make_packet(struct bench *bench, unsigned side)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(bench->pool);
	struct rte_ether_hdr *ether;
	struct rte_ipv4_hdr *ip;
	struct rte_udp_hdr *udp;
	uint8_t *rtp;

	if (!mbuf)
		rounds_die(BENCH ": no buffer");
	ether = (struct rte_ether_hdr *)rte_pktmbuf_append(mbuf, FRAME_BYTES);
	memset(ether, 0, FRAME_BYTES);
	ether->src_addr.addr_bytes[0] = 2;
	ether->src_addr.addr_bytes[5] = (uint8_t)(0x50 + side);
	ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	ip = (struct rte_ipv4_hdr *)(ether + 1);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(FRAME_BYTES - sizeof(*ether));
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, side, 50));
	memcpy(&ip->dst_addr, bench->local[side].ip.bytes, sizeof(ip->dst_addr));
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp = (struct rte_udp_hdr *)(ip + 1);
	udp->src_port = rte_cpu_to_be_16(PHONE_PORT);
	udp->dst_port = rte_cpu_to_be_16(bench->local[side].port);
	udp->dgram_len = rte_cpu_to_be_16(sizeof(*udp) + RTP_BYTES);
	rtp = (uint8_t *)(udp + 1);
	rtp[0] = 0x80;
	rtp[2] = (uint8_t)(bench->sequence >> 8);
	rtp[3] = (uint8_t)bench->sequence++;
	return mbuf;
}

static void
give(struct bench *bench, unsigned side)
{
	if (rte_ring_enqueue(bench->in[side], make_packet(bench, side)) != 0)
		rounds_die(BENCH ": the worker does not take packets");
}

static bool
take(struct bench *bench, unsigned side)
{
	struct rte_mbuf *mbuf = NULL;

	if (rte_ring_dequeue(bench->out[side], (void **)&mbuf) != 0)
		return false;
	rte_pktmbuf_free(mbuf);
	return true;
}

/* Both phones are heard; what was asked by ARP meanwhile is nobody's. */
static void
latch(struct bench *bench)
{
	for (unsigned i = 0; i < LATCH_TRIES; i++) {
		struct stw_media_stats stats;

		give(bench, 0);
		give(bench, 1);
		rounds_sleep_ms(2);
		stw_media_stats(bench->media, &stats);
		for (unsigned side = 0; side < PORTS; side++) {
			while (take(bench, side))
				continue;
		}
		if (stats.verdicts[STW_PASS_RELAYED] >= 2)
			return;
	}
	rounds_die(BENCH ": no packet comes through");
}

static int
compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

/* Microseconds of each packet, in order of size. */
static void
measure(struct bench *bench, uint64_t idle_ns, uint64_t *random, double *latencies, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		/* Anywhere within a sleep. */
		uint64_t at_ns = rounds_now_ns() + idle_ns + rounds_random_below(random, 1000000);
		uint64_t sent_ns, came_ns;

		while (rounds_now_ns() < at_ns)
			continue;
		sent_ns = rounds_now_ns();
		give(bench, 0);
		do {
			came_ns = rounds_now_ns();
			if (came_ns - sent_ns > GIVE_UP_NS)
				rounds_die(BENCH ": a packet is lost");
		} while (!take(bench, 1));
		latencies[i] = (double)(came_ns - sent_ns) / 1000;
	}
	qsort(latencies, count, sizeof(*latencies), compare);
}

static void
print(unsigned round, enum step step, const char *which, double ours, double theirs)
{
	char name[32];
	struct rounds_metric metric = {BENCH, "polling", name, "us", "lower"};

	snprintf(name, sizeof(name), "%s-%s", step_names[step], which);
	rounds_print(&metric, round, ours, theirs);
}

int
main(int argc, char **argv)
{
	static const enum stw_idle_mode modes[] = {STW_IDLE_ADAPTIVE, STW_IDLE_POLL};
	static double latencies[2][STEPS][PACKETS];
	struct rounds_options options;
	struct bench bench = {0};
	unsigned count;

	rounds_parse(&options, argc, argv);
	count = options.quick ? PACKETS_QUICK : PACKETS;
	start_eal();
	make_ports(&bench);
	for (unsigned round = 0; round < options.rounds; round++) {
		for (unsigned k = 0; k < 2; k++) {
			unsigned side = (k + round) % 2;

			create_media(&bench, modes[side]);
			latch(&bench);
			for (enum step step = 0; step < STEPS; step++)
				measure(&bench, step_ns[step], &options.seed, latencies[side][step],
					count);
			stw_media_destroy(bench.media);
		}
		for (enum step step = 0; step < STEPS; step++) {
			print(round, step, "p50", latencies[0][step][count / 2],
			      latencies[1][step][count / 2]);
			print(round, step, "p99", latencies[0][step][count - 1 - count / 100],
			      latencies[1][step][count - 1 - count / 100]);
		}
	}
	stw_eal_stop();
	return 0;
}

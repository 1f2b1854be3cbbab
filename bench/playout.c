/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * playout: packets a second that one core sends of one stream to 100,000 listeners, over two net_ring ports.
 * Time is virtual and goes on by a millisecond when all that was due is sent. Packets are taken from
 * the rings and freed on the same core, on both sides.
 *
 *  ours     stw_media_poll: the whole packet plane
 *  copying  what sending takes at the least without one: a buffer for each listener in turn, with headers
 *           from a template, the payload copied, the UDP checksum added up from the beginning
 *
 * There are 5,000,000 packets due a second: "of-real-time" says how much of that a core does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <strowger/playout.h>

#include "relay_house.h"

#define BENCH      "playout"
#define CALLS      50000
#define LISTENERS  (2 * CALLS)
#define SECONDS    1
#define MS         UINT64_C(1000000)
#define BURST      64
#define HEADERS    54 /* Ethernet, IPv4, UDP, RTP */
#define PAYLOAD    160
#define WAV_HEADER 44
#define DUE        (50.0 * LISTENERS)

struct bench {
	struct house house;
	struct stw_playout playout;
	struct rte_mempool *pool;
	uint8_t (*templates)[HEADERS];
	uint8_t payload[PAYLOAD];
	uint64_t now_ns;
	uint32_t listener; /* whose packet the rival makes next */
};

/* A mu-law WAV file of a second, that repeats. */
static void
playout_load(struct bench *bench)
{
	uint8_t head[WAV_HEADER] =
		"RIFF....WAVEfmt \x10\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\10\0data";
	uint32_t data_bytes = 8000, riff_bytes = 36 + data_bytes;
	char path[] = "/tmp/bench-playout-XXXXXX";
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	int fd = mkstemp(path);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");

	if (!file)
		rounds_die(BENCH ": no temporary file");
	memcpy(head + 4, &riff_bytes, sizeof(riff_bytes));
	memcpy(head + 40, &data_bytes, sizeof(data_bytes));
	fwrite(head, 1, sizeof(head), file);
	for (uint32_t i = 0; i < data_bytes; i++)
		fputc((int)(i * 7 & 0xff), file);
	fclose(file);
	config.path = path;
	config.loop = 1;
	house_must(&bench->house, stw_playout_load(bench->house.media, &config, &bench->playout),
		   "stw_playout_load");
	unlink(path);
}

/* Headers of each listener as the rival copies them; the checksum is made of the whole. */
static void
templates_make(struct bench *bench)
{
	bench->templates = calloc(LISTENERS, sizeof(*bench->templates));
	bench->pool = rte_pktmbuf_pool_create("bench_copies", 8191, 0, 0, 512, SOCKET_ID_ANY);
	if (!bench->templates || !bench->pool)
		rounds_die(BENCH ": no memory");
	for (uint32_t i = 0; i < LISTENERS; i++) {
		const struct generator_stream *stream = &bench->house.streams[i];
		struct rte_ether_hdr *ether = (struct rte_ether_hdr *)bench->templates[i];
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
		struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

		ether->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
		ip->version_ihl = RTE_IPV4_VHL_DEF;
		ip->total_length = RTE_BE16(HEADERS - sizeof(*ether) + PAYLOAD);
		ip->time_to_live = 64;
		ip->next_proto_id = IPPROTO_UDP;
		memcpy(&ip->src_addr, stream->leg.ip.bytes, sizeof(ip->src_addr));
		memcpy(&ip->dst_addr, stream->phone.ip.bytes, sizeof(ip->dst_addr));
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		udp->src_port = rte_cpu_to_be_16(stream->leg.port);
		udp->dst_port = rte_cpu_to_be_16(stream->phone.port);
		udp->dgram_len = RTE_BE16(sizeof(*udp) + 12 + PAYLOAD);
		bench->templates[i][42] = 0x80;
	}
}

static struct rte_mbuf *
copy_make(struct bench *bench, uint32_t listener, uint16_t sequence)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(bench->pool);
	rte_be16_t wire = rte_cpu_to_be_16(sequence);
	struct rte_udp_hdr *udp;
	uint8_t *frame;

	if (!mbuf)
		rounds_die(BENCH ": buffers have leaked");
	frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	memcpy(frame, bench->templates[listener], HEADERS);
	memcpy(frame + 44, &wire, sizeof(wire));
	memcpy(frame + HEADERS, bench->payload, PAYLOAD);
	mbuf->data_len = HEADERS + PAYLOAD;
	mbuf->pkt_len = mbuf->data_len;
	udp = (struct rte_udp_hdr *)(frame + 34);
	udp->dgram_cksum = rte_ipv4_udptcp_cksum((struct rte_ipv4_hdr *)(frame + 14), udp);
	return mbuf;
}

/* What the rival sends in a virtual millisecond. */
static uint64_t
copying_ms(struct bench *bench)
{
	uint32_t due = LISTENERS / 20;
	uint16_t sequence = (uint16_t)(bench->now_ns / (20 * MS));
	uint64_t taken = 0;

	while (due) {
		struct rte_mbuf *mbufs[BURST];
		uint32_t count = due < BURST ? due : BURST, port = due / BURST & 1, sent;

		for (uint32_t i = 0; i < count; i++) {
			mbufs[i] = copy_make(bench, bench->listener, sequence);
			bench->listener = (bench->listener + 1) % LISTENERS;
		}
		sent = rte_eth_tx_burst(bench->house.ports[port], 0, mbufs, (uint16_t)count);
		rte_pktmbuf_free_bulk(&mbufs[sent], count - sent);
		due -= count;
		taken += generator_take(bench->house.generator);
	}
	return taken;
}

/* What we send in a virtual millisecond: all that is due. */
static uint64_t
ours_ms(struct bench *bench)
{
	uint64_t taken = 0, some;

	do {
		house_must(&bench->house, stw_media_poll(bench->house.media, 0, bench->now_ns),
			   "stw_media_poll");
		some = generator_take(bench->house.generator);
		taken += some;
	} while (some);
	return taken;
}

/* Packets a second of real time in which one side sends for a virtual second. */
static double
rate_of(struct bench *bench, uint64_t (*send_ms)(struct bench *))
{
	unsigned ms_count = bench->house.options.quick ? 40 : 1000 * SECONDS;
	uint64_t start_ns = rounds_now_ns(), taken = 0, ns;

	for (unsigned ms = 0; ms < ms_count; ms++) {
		bench->now_ns += MS;
		taken += send_ms(bench);
	}
	ns = rounds_now_ns() - start_ns;
	if (taken != (uint64_t)ms_count * LISTENERS / 20)
		rounds_die(BENCH ": %llu packets came, %u were due", (unsigned long long)taken,
			   ms_count * LISTENERS / 20);
	return (double)taken * 1e9 / (double)ns;
}

static void
listen_all(struct bench *bench, bool on)
{
	struct stw_playout none = {0};

	for (uint32_t i = 0; i < LISTENERS; i++)
		house_must(&bench->house,
			   stw_playout_attach(bench->house.media, bench->house.legs[i],
					      on ? bench->playout : none,
					      bench->now_ns + (1 + i % 20) * MS),
			   "stw_playout_attach");
	/* Those attached and detached are looked at, a few a turn. */
	for (unsigned i = 0; i < LISTENERS / 32; i++)
		house_must(&bench->house, stw_media_poll(bench->house.media, 0, bench->now_ns),
			   "stw_media_poll");
}

static void
run_round(struct bench *bench, unsigned round)
{
	struct rounds_metric copying = {BENCH, "copying", "packets", "packets/s", "higher"};
	struct rounds_metric due = {BENCH, "due", "of-real-time", "packets/s", "higher"};
	double ours = 0, theirs = 0;

	for (unsigned i = 0; i < 2; i++) {
		if ((i + round) & 1) {
			theirs = rate_of(bench, copying_ms);
			continue;
		}
		listen_all(bench, true);
		ours = rate_of(bench, ours_ms);
		listen_all(bench, false);
	}
	rounds_print(&copying, round, ours, theirs);
	rounds_print(&due, round, ours, DUE);
}

int
main(int argc, char **argv)
{
	struct stw_media_config config = house_config(CALLS);
	struct bench bench = {0};
	struct house *house = &bench.house;

	house_open(house, BENCH, argc, argv);
	config.playout_packets_max = 1000;
	house_media_make(house, &config);
	for (uint32_t call = 0; call < CALLS; call++)
		house_call_add(house, call, &house->streams[2 * call]);
	generator_load(house->generator, house->streams, LISTENERS, house->options.seed);
	generator_checksums(house->generator, true);
	house_warm_up(house, LISTENERS);
	relay_worker_do(house->worker, RELAY_REST);
	playout_load(&bench);
	templates_make(&bench);
	bench.now_ns = rounds_now_ns();
	for (unsigned round = 0; round < house->options.rounds; round++)
		run_round(&bench, round);
	house_close(house);
	rte_mempool_free(bench.pool);
	free(bench.templates);
	return 0;
}

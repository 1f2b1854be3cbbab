/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mix: how many conferences of three parties one core carries, each party sending and getting a packet of 20 ms
 * of mu law 50 times a second. Time is virtual: all packets of 20 ms are put in front of a net_ring port, then
 * the time is taken that the packet plane needs until all are received, mixed and sent.
 *
 * The rival (rival_mix.h) gets the same frames and does the arithmetic alone. Metrics:
 *
 *  plane       the whole packet plane: parse, latch, statistics, jitter buffer, mix, RTP, checksums, send
 *  arithmetic  frame source, mixer and codec alone (lib/rtp)
 *
 * Every packet sent is compared with what the rival makes of the frames of 40 ms before, the jitter buffer's
 * delay: byte by byte they must be the same.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <strowger/error.h>
#include <strowger/media.h>

#include "rival_mix.h"
#include "rounds.h"
#include "rtp/conceal.h"
#include "rtp/g711.h"

#define BENCH       "mix"
#define RIVAL       "naive-arithmetic"
#define MIXES       512
#define LEGS        (MIXES * RIVAL_MIX_PARTIES)
#define FRAMES      64 /* of each party, played again and again */
#define DELAY       2  /* frames: the jitter buffer's */
#define WARM_UP     10 /* frames until everybody is latched and heard */
#define TURN        50 /* frames timed in one turn: a second of every mix */
#define RING_SIZE   4096
#define PERIOD_NS   UINT64_C(20000000)
#define PORT_FIRST  20000
#define PHONE_FIRST 30000
#define RTP_AT                                                                                     \
	(sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr))
#define FRAME_BYTES (RTP_AT + STW_RTP_HEADER_BYTES + RIVAL_MIX_SAMPLES)

struct bench {
	struct rounds_options options;
	struct stw_media *media;
	struct rte_ring *in, *out;
	struct rte_mempool *pool;
	uint64_t now_ns;
	uint32_t turn; /* times 20 ms so far */
	uint32_t checked;
	uint8_t codes[LEGS][FRAMES][RIVAL_MIX_SAMPLES];
	uint8_t wanted[LEGS][RIVAL_MIX_SAMPLES];
	uint8_t header[LEGS][RTP_AT + STW_RTP_HEADER_BYTES];
};

static void
must(int error, const char *what)
{
	if (error < 0)
		rounds_die("%s: %s: %s", BENCH, what, stw_error_text(error));
}

static const uint8_t *
codes_of(const struct bench *bench, uint32_t leg, uint32_t turn)
{
	return bench->codes[leg][turn % FRAMES];
}

/* Noise whose loudness changes: every segment of the law is used. */
static void
codes_make(struct bench *bench)
{
	uint64_t random = bench->options.seed;

	for (uint32_t leg = 0; leg < LEGS; leg++) {
		for (uint32_t frame = 0; frame < FRAMES; frame++) {
			uint32_t loud = 1 + rounds_random_below(&random, 20000);

			for (uint32_t i = 0; i < RIVAL_MIX_SAMPLES; i++) {
				int16_t sample =
					(int16_t)((int)rounds_random_below(&random, 2 * loud) -
						  (int)loud);

				rtp_g711_encode(STW_CODEC_PCMU, &sample, 1,
						&bench->codes[leg][frame][i]);
			}
		}
	}
}

/* What the rival makes of one time of 20 ms, for all mixes. */
static void
rival_turn(struct bench *bench, uint32_t turn)
{
	for (uint32_t leg = 0; leg < LEGS; leg += RIVAL_MIX_PARTIES) {
		const uint8_t *in[RIVAL_MIX_PARTIES];
		uint8_t *out[RIVAL_MIX_PARTIES];

		for (uint32_t i = 0; i < RIVAL_MIX_PARTIES; i++) {
			in[i] = codes_of(bench, leg + i, turn);
			out[i] = bench->wanted[leg + i];
		}
		rival_mix(in, out);
	}
}

static void
header_make(struct bench *bench, uint32_t leg, const struct stw_endpoint *local)
{
	struct rte_ether_hdr ether = {.src_addr = {{2, 0, 0, 0, 0, 2}},
				      .ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)};
	struct rte_ipv4_hdr ip = {
		.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16(FRAME_BYTES - sizeof(struct rte_ether_hdr)),
		.time_to_live = 64,
		.next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(RTE_IPV4(10, 0, 0, 2)),
	};
	struct rte_udp_hdr udp = {
		.src_port = rte_cpu_to_be_16((uint16_t)(PHONE_FIRST + leg)),
		.dst_port = rte_cpu_to_be_16(local->port),
		.dgram_len = rte_cpu_to_be_16(sizeof(struct rte_udp_hdr) + STW_RTP_HEADER_BYTES +
					      RIVAL_MIX_SAMPLES),
	};
	uint8_t *header = bench->header[leg];

	memset(&ether.dst_addr, 0xfe, sizeof(ether.dst_addr));
	memcpy(&ip.dst_addr, local->ip.bytes, 4);
	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(header, &ether, sizeof(ether));
	memcpy(header + sizeof(ether), &ip, sizeof(ip));
	memcpy(header + sizeof(ether) + sizeof(ip), &udp, sizeof(udp));
	header[RTP_AT] = 2 << 6;
	memcpy(header + RTP_AT + 8, &leg, sizeof(leg));
}

static void
media_open(struct bench *bench)
{
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_port_config port = {.kind = STW_PORT_TAKEN};
	struct stw_address_config address = {.ip = {4, {10, 0, 0, 1}},
					     .prefix_bits = 24,
					     .udp_port_first = PORT_FIRST,
					     .udp_port_last = PORT_FIRST + 2 * LEGS - 1};
	int id;

	bench->in = rte_ring_create("mix_in", RING_SIZE, SOCKET_ID_ANY, 0);
	bench->out = rte_ring_create("mix_out", RING_SIZE, SOCKET_ID_ANY, 0);
	bench->pool = rte_pktmbuf_pool_create("mix", 2 * RING_SIZE - 1, 0, 0,
					      RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!bench->in || !bench->out || !bench->pool)
		rounds_die("%s: no memory", BENCH);
	id = rte_eth_from_rings("mix", &bench->in, 1, &bench->out, 1, 0);
	must(id, "rte_eth_from_rings");
	port.port_id = (uint16_t)id;
	config.ports = &port;
	config.ports_count = 1;
	config.addresses = &address;
	config.addresses_count = 1;
	config.sessions_max = MIXES;
	config.legs_max = LEGS;
	config.mixes_max = MIXES;
	config.mix_legs_max = LEGS;
	must(stw_media_create(&bench->media, &config), "stw_media_create");
}

static void
mix_open(struct bench *bench, uint32_t mix)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_mix_leg_config legs[RIVAL_MIX_PARTIES];
	struct stw_mix_config mix_config = STW_MIX_CONFIG_INIT;
	struct stw_session session;
	struct stw_mix handle;

	must(stw_session_add(bench->media, &session_config, &session), "stw_session_add");
	for (uint32_t i = 0; i < RIVAL_MIX_PARTIES; i++) {
		struct stw_leg_config config = STW_LEG_CONFIG_INIT;
		uint32_t leg = mix * RIVAL_MIX_PARTIES + i;
		struct stw_endpoint local;

		config.remote =
			(struct stw_endpoint){{4, {10, 0, 0, 2}}, (uint16_t)(PHONE_FIRST + leg)};
		legs[i] = (struct stw_mix_leg_config)STW_MIX_LEG_CONFIG_INIT;
		must(stw_leg_add(bench->media, session, &config, bench->now_ns, &legs[i].leg,
				 &local),
		     "stw_leg_add");
		header_make(bench, leg, &local);
	}
	mix_config.delay_ms = 20 * DELAY;
	mix_config.legs = legs;
	mix_config.legs_count = RIVAL_MIX_PARTIES;
	must(stw_mix_add(bench->media, session, &mix_config, bench->now_ns + PERIOD_NS / 2,
			 &handle),
	     "stw_mix_add");
}

/* Each phone sends its packet of the present time. */
static void
phones_send(struct bench *bench)
{
	struct rte_mbuf *mbufs[LEGS];
	rte_be16_t sequence = rte_cpu_to_be_16((uint16_t)bench->turn);
	rte_be32_t timestamp = rte_cpu_to_be_32(bench->turn * RIVAL_MIX_SAMPLES);

	must(rte_pktmbuf_alloc_bulk(bench->pool, mbufs, LEGS), "rte_pktmbuf_alloc_bulk");
	for (uint32_t leg = 0; leg < LEGS; leg++) {
		uint8_t *frame = (uint8_t *)rte_pktmbuf_append(mbufs[leg], FRAME_BYTES);

		memcpy(frame, bench->header[leg], sizeof(bench->header[leg]));
		memcpy(frame + RTP_AT + 2, &sequence, 2);
		memcpy(frame + RTP_AT + 4, &timestamp, 4);
		memcpy(frame + RTP_AT + STW_RTP_HEADER_BYTES, codes_of(bench, leg, bench->turn),
		       RIVAL_MIX_SAMPLES);
	}
	if (rte_ring_enqueue_bulk(bench->in, (void *const *)mbufs, LEGS, NULL) != LEGS)
		rounds_die("%s: the ring is full", BENCH);
}

/* Take what was sent; compare it with what the rival made. */
static void
phones_hear(struct bench *bench)
{
	struct rte_mbuf *mbuf;

	while (rte_ring_dequeue(bench->out, (void **)&mbuf) == 0) {
		const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
		uint32_t leg = (uint32_t)(frame[36] << 8 | frame[37]) - PHONE_FIRST;

		if (mbuf->pkt_len == FRAME_BYTES && leg < LEGS && bench->turn >= WARM_UP) {
			if (memcmp(frame + RTP_AT + STW_RTP_HEADER_BYTES, bench->wanted[leg],
				   RIVAL_MIX_SAMPLES) != 0)
				rounds_die("%s: leg %u did not hear what it had to, at %u", BENCH,
					   leg, bench->turn);
			bench->checked++;
		}
		rte_pktmbuf_free(mbuf);
	}
}

/* So many turns of the worker until all frames that are due are mixed. */
static void
mixes_turn(struct bench *bench)
{
	for (int i = 0; i < MIXES / 64; i++)
		stw_media_poll(bench->media, 0, bench->now_ns);
}

/* 20 ms of all mixes; nanoseconds that the packet plane needed. Mixes begin 10 ms after packets come. */
static uint64_t
plane_turn(struct bench *bench)
{
	uint64_t began_ns;

	phones_send(bench);
	began_ns = rounds_now_ns();
	while (stw_media_poll(bench->media, 0, bench->now_ns) > 0)
		continue;
	bench->now_ns += PERIOD_NS / 2;
	mixes_turn(bench);
	began_ns = rounds_now_ns() - began_ns;
	bench->now_ns += PERIOD_NS / 2;
	return began_ns;
}

/* One frame time of all mixes by lib/rtp alone. */
static uint64_t
arithmetic_turn(struct bench *bench, struct rtp_conceal *sources, uint32_t turn)
{
	static uint8_t out[LEGS][RIVAL_MIX_SAMPLES];
	uint64_t began_ns = rounds_now_ns();

	for (uint32_t leg = 0; leg < LEGS; leg += RIVAL_MIX_PARTIES) {
		const int16_t *frames[RTP_MIXER_PARTIES] = {0};
		int16_t sum[RIVAL_MIX_SAMPLES] __attribute__((aligned(64)));
		struct rtp_mixer mixer;

		for (uint32_t i = 0; i < RIVAL_MIX_PARTIES; i++) {
			struct rtp_piece piece = {.ssrc = leg + i,
						  .timestamp = turn * RIVAL_MIX_SAMPLES,
						  .bytes = RIVAL_MIX_SAMPLES,
						  .codec = STW_CODEC_PCMU};

			rtp_conceal_take(&sources[leg + i], &piece, codes_of(bench, leg + i, turn));
			rtp_conceal_frame(&sources[leg + i], &frames[i]);
		}
		rtp_mixer_begin(&mixer, frames, (1 << RIVAL_MIX_PARTIES) - 1);
		for (uint32_t i = 0; i < RIVAL_MIX_PARTIES; i++) {
			rtp_mixer_hear(&mixer, (uint8_t) ~(1 << i), sum);
			rtp_g711_encode(STW_CODEC_PCMU, sum, RIVAL_MIX_SAMPLES, out[leg + i]);
		}
	}
	began_ns = rounds_now_ns() - began_ns;
	rival_turn(bench, turn - DELAY);
	if (turn >= FRAMES + WARM_UP && memcmp(out, bench->wanted, sizeof(out)) != 0)
		rounds_die("%s: the arithmetic differs at %u", BENCH, turn);
	return began_ns;
}

/* Mixes that a core carries, if it needs so long for so many frame times of all. */
static double
mixes_carried(uint64_t ns, uint32_t turns)
{
	return (double)MIXES * turns * PERIOD_NS / (double)ns;
}

static void
round_run(struct bench *bench, struct rtp_conceal *sources, uint32_t *arithmetic, unsigned round)
{
	const struct rounds_metric metrics[] = {
		{BENCH, RIVAL, "plane", "mixes/core", "higher"},
		{BENCH, RIVAL, "arithmetic", "mixes/core", "higher"},
	};
	uint32_t turns = bench->options.quick ? TURN / 10 : TURN;
	uint64_t plane_ns = 0, arithmetic_ns = 0, rival_ns = 0;

	for (uint32_t i = 0; i < turns; i++) {
		uint64_t began_ns = rounds_now_ns();

		rival_turn(bench, bench->turn - DELAY);
		rival_ns += rounds_now_ns() - began_ns;
		plane_ns += plane_turn(bench);
		phones_hear(bench);
		arithmetic_ns += arithmetic_turn(bench, sources, (*arithmetic)++);
		bench->turn++;
	}
	rounds_print(&metrics[0], round, mixes_carried(plane_ns, turns),
		     mixes_carried(rival_ns, turns));
	rounds_print(&metrics[1], round, mixes_carried(arithmetic_ns, turns),
		     mixes_carried(rival_ns, turns));
}

static void
warm_up(struct bench *bench, struct rtp_conceal *sources, uint32_t *arithmetic)
{
	for (uint32_t leg = 0; leg < LEGS; leg++)
		rtp_conceal_init(&sources[leg], DELAY * RIVAL_MIX_SAMPLES);
	for (*arithmetic = FRAMES; *arithmetic < FRAMES + WARM_UP; ++*arithmetic)
		arithmetic_turn(bench, sources, *arithmetic);
	while (bench->turn < WARM_UP) {
		plane_turn(bench);
		phones_hear(bench);
		bench->turn++;
	}
}

int
main(int argc, char **argv)
{
	struct stw_eal_config eal = STW_EAL_CONFIG_INIT;
	struct bench *bench = calloc(1, sizeof(*bench));
	struct rtp_conceal *sources = calloc(LEGS, sizeof(*sources));
	uint32_t arithmetic;

	if (!bench || !sources)
		rounds_die("%s: no memory", BENCH);
	rounds_parse(&bench->options, argc, argv);
	bench->now_ns = UINT64_C(1000000000000);
	must(stw_eal_start(&eal), "stw_eal_start");
	codes_make(bench);
	media_open(bench);
	for (uint32_t mix = 0; mix < MIXES; mix++)
		mix_open(bench, mix);
	bench->now_ns += PERIOD_NS / 2;
	mixes_turn(bench);
	bench->now_ns += PERIOD_NS / 2;
	warm_up(bench, sources, &arithmetic);
	for (unsigned round = 0; round < bench->options.rounds; round++)
		round_run(bench, sources, &arithmetic, round);
	if (bench->checked <
	    bench->options.rounds * (bench->options.quick ? TURN / 10 : TURN) * LEGS)
		rounds_die("%s: only %u packets were heard", BENCH, bench->checked);
	stw_media_destroy(bench->media);
	stw_eal_stop();
	free(sources);
	free(bench);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The phones of the srtp bench.
 */
#include "srtp_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include <strowger/error.h>

#include "rounds.h"
#include "srtp_raw.h"

#define RING_PACKETS   2048
#define BURST          64
#define UDP_PORT_FIRST 10000
#define UDP_PORT_LAST  61999
#define HEADER_BYTES                                                                               \
	(sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr))

/* A stream: who speaks to the plane, and by which leg it speaks to the relay. */
struct stream {
	struct stw_leg leg;
	struct stw_endpoint plain; /* of the leg that gets plain RTP */
	struct stw_endpoint phone; /* of the leg that sends SRTP */
	uint16_t sequence;
};

struct source {
	struct stw_media *media;
	struct rte_ring *in, *out;
	struct rte_mempool *buffers;
	struct stream *streams;
	uint32_t count;
	bool aead;
};

static const uint8_t speaker_ip[4] = {10, 0, 0, 200};
static const uint8_t phone_ip[4] = {10, 0, 0, 50};
static const uint8_t relay_ip[4] = {10, 0, 0, 1};

static void
must(int error, const char *what)
{
	if (error < 0)
		rounds_die("srtp: %s: %s", what, stw_error_text(error));
}

struct stw_srtp_keys
source_keys(bool aead, uint32_t stream, bool in)
{
	struct stw_srtp_keys keys = STW_SRTP_KEYS_INIT;
	uint64_t seed = 2 * (uint64_t)stream + in;

	keys.suite = aead ? STW_SRTP_AEAD_AES_128_GCM : STW_SRTP_AES_CM_128_HMAC_SHA1_80;
	for (unsigned i = 0; i < 16; i++)
		keys.key[i] = (uint8_t)rounds_random(&seed);
	for (unsigned i = 0; i < 14; i++)
		keys.salt[i] = (uint8_t)rounds_random(&seed);
	return keys;
}

static void
media_create(struct source *source)
{
	static unsigned serial;
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_address_config addresses[2];
	struct stw_port_config port = {STW_PORT_TAKEN, NULL, 0, STW_XDP_NONE};
	char names[3][32];
	int id;

	snprintf(names[0], sizeof(names[0]), "source_%u", serial);
	snprintf(names[1], sizeof(names[1]), "source_rx_%u", serial);
	snprintf(names[2], sizeof(names[2]), "source_tx_%u", serial++);
	source->in = rte_ring_create(names[1], RING_PACKETS, SOCKET_ID_ANY, 0);
	source->out = rte_ring_create(names[2], RING_PACKETS, SOCKET_ID_ANY, 0);
	id = rte_eth_from_rings(names[0], &source->in, 1, &source->out, 1, 0);
	if (id < 0)
		rounds_die("srtp: no memory for ports");
	port.port_id = (uint16_t)id;
	for (unsigned i = 0; i < 2; i++) {
		addresses[i] = (struct stw_address_config){
			.ip = {4, {10, 0, 0, (uint8_t)(phone_ip[3] + i)}},
			.prefix_bits = 24,
			.udp_port_first = UDP_PORT_FIRST,
			.udp_port_last = UDP_PORT_LAST,
		};
	}
	config.ports = &port;
	config.ports_count = 1;
	config.addresses = addresses;
	config.addresses_count = 2;
	config.sessions_max = source->count;
	config.legs_max = 2 * source->count;
	config.srtp_max = source->count;
	config.events_max = 1 << 16;
	must(stw_media_create(&source->media, &config), "stw_media_create");
}

static struct stw_leg_config
phone_config(const struct source *source, uint32_t stream, const struct stw_srtp_keys *keys)
{
	struct stw_leg_config config = STW_LEG_CONFIG_INIT;

	(void)source;
	(void)stream;
	config.side = STW_SIDE_AGENT;
	config.srtp_out = keys;
	return config;
}

static void
call_add(struct source *source, uint32_t index)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config speaker = STW_LEG_CONFIG_INIT, phone;
	struct stw_srtp_keys keys = source_keys(source->aead, index, true);
	struct stream *stream = &source->streams[index];
	struct stw_session session;
	struct stw_leg leg;

	speaker.address = 1;
	phone = phone_config(source, index, &keys);
	must(stw_session_add(source->media, &session_config, &session), "stw_session_add");
	must(stw_leg_add(source->media, session, &speaker, rounds_now_ns(), &leg, &stream->plain),
	     "stw_leg_add");
	must(stw_leg_add(source->media, session, &phone, rounds_now_ns(), &stream->leg,
			 &stream->phone),
	     "stw_leg_add");
	must(stw_leg_connect(source->media, leg, stream->leg), "stw_leg_connect");
}

struct source *
source_create(bool aead, uint32_t streams, struct rte_mempool *buffers)
{
	struct source *source = calloc(1, sizeof(*source));

	if (source)
		source->streams = calloc(streams, sizeof(*source->streams));
	if (!source || !source->streams)
		rounds_die("srtp: no memory");
	source->aead = aead;
	source->count = streams;
	source->buffers = buffers;
	media_create(source);
	for (uint32_t i = 0; i < streams; i++)
		call_add(source, i);
	return source;
}

void
source_destroy(struct source *source)
{
	struct rte_mbuf *mbuf;

	stw_media_destroy(source->media);
	while (rte_ring_dequeue(source->out, (void **)&mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	rte_ring_free(source->in);
	rte_ring_free(source->out);
	free(source->streams);
	free(source);
}

struct stw_endpoint
source_phone(const struct source *source, uint32_t stream)
{
	return source->streams[stream].phone;
}

void
source_aim(struct source *source, uint32_t stream, const struct stw_endpoint *to)
{
	struct stw_srtp_keys keys = source_keys(source->aead, stream, true);
	struct stw_leg_config config = phone_config(source, stream, &keys);

	config.remote = *to;
	must(stw_leg_update(source->media, source->streams[stream].leg, &config, rounds_now_ns()),
	     "stw_leg_update");
}

void
source_arp(struct rte_mempool *buffers, struct rte_ring *ring, const uint8_t sender[4],
	   const uint8_t target[4])
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(buffers);
	uint8_t *arp;

	if (!mbuf)
		rounds_die("srtp: buffers have leaked");
	arp = (uint8_t *)rte_pktmbuf_append(mbuf, 60);
	if (!arp)
		rounds_die("srtp: a buffer has no room");
	memset(arp, 0, 60);
	memcpy(arp, "\xff\xff\xff\xff\xff\xff\2\0\0\0\0\2\x08\x06\0\1\x08\0\6\4\0\2", 22);
	memcpy(arp + 22, "\2\0\0\0\0\2", 6);
	memcpy(arp + 28, sender, 4);
	memcpy(arp + 38, target, 4);
	if (rte_ring_enqueue(ring, mbuf) != 0)
		rte_pktmbuf_free(mbuf);
}

/* A speaker's plain packet. */
static struct rte_mbuf *
plain_make(struct source *source, uint32_t index)
{
	struct stream *stream = &source->streams[index];
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(source->buffers);
	struct rte_ether_hdr *ether;
	struct rte_ipv4_hdr *ip;
	struct rte_udp_hdr *udp;
	uint8_t *rtp;

	if (!mbuf)
		rounds_die("srtp: buffers have leaked");
	ether = (struct rte_ether_hdr *)(void *)rte_pktmbuf_append(mbuf,
								   HEADER_BYTES + SRTP_RTP_BYTES);
	ip = (struct rte_ipv4_hdr *)(ether + 1);
	udp = (struct rte_udp_hdr *)(ip + 1);
	rtp = (uint8_t *)(udp + 1);
	memset(ether, 0, HEADER_BYTES + 12);
	ether->ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	ether->src_addr = (struct rte_ether_addr){{2, 0, 0, 0, 0, 1}};
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(sizeof(*ip) + sizeof(*udp) + SRTP_RTP_BYTES);
	ip->time_to_live = 60;
	ip->next_proto_id = IPPROTO_UDP;
	memcpy(&ip->src_addr, speaker_ip, 4);
	memcpy(&ip->dst_addr, stream->plain.ip.bytes, 4);
	udp->src_port = RTE_BE16(4000);
	udp->dst_port = rte_cpu_to_be_16(stream->plain.port);
	udp->dgram_len = rte_cpu_to_be_16(sizeof(*udp) + SRTP_RTP_BYTES);
	rtp[0] = 0x80;
	rtp[2] = (uint8_t)(stream->sequence >> 8);
	rtp[3] = (uint8_t)stream->sequence;
	memcpy(rtp + 8, &index, 3);
	rtp[11] = 0x57;
	for (int i = 12; i < SRTP_RTP_BYTES; i++)
		rtp[i] = (uint8_t)(stream->sequence + i);
	stream->sequence++;
	mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return mbuf;
}

void
source_make(struct source *source, const uint32_t *streams, unsigned count, struct rte_mbuf **mbufs)
{
	unsigned made = 0;

	for (unsigned i = 0; i < count; i++)
		rte_ring_enqueue(source->in, plain_make(source, streams[i]));
	for (unsigned turn = 0; turn < BURST && made < count; turn++) {
		struct rte_mbuf *mbuf;

		must(stw_media_poll(source->media, 0, rounds_now_ns()), "stw_media_poll");
		while (made < count && rte_ring_dequeue(source->out, (void **)&mbuf) == 0) {
			if (mbuf->pkt_len > HEADER_BYTES + SRTP_RTP_BYTES) {
				mbuf->ol_flags =
					RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
				mbufs[made++] = mbuf;
				continue;
			}
			/* It asks for the relay's link address: the packet that wanted it is lost. */
			rte_pktmbuf_free(mbuf);
			source_arp(source->buffers, source->in, relay_ip, phone_ip);
		}
		if (made < count && rte_ring_empty(source->in)) {
			source_arp(source->buffers, source->in, relay_ip, phone_ip);
			for (unsigned i = made; i < count; i++)
				rte_ring_enqueue(source->in, plain_make(source, streams[i]));
		}
	}
	if (made < count)
		rounds_die("srtp: the source makes %u packets of %u", made, count);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks to the network. A copy is a small buffer with headers, and a reference to the rest of the
 * packet; where the device takes one segment only, the rest is copied. Copies of a burst wait until
 * what is relayed lies in the send queues: a full device drops copies first.
 *
 * Each side is one RTP stream: an SSRC of its own, and sequence numbers that go on over changes of
 * the source and over pauses. What was lost, doubled or late on its way here is so there, too.
 *
 *  map   bits 0 - 15   tag of the source that is sent: its SSRC, leg and how often the fork was resumed
 *        bits 16 - 31  added to sequence numbers
 *        bits 32 - 63  added to timestamps
 *  last  bits 0 - 15   newest sequence number sent
 *        bits 32 - 63  its timestamp
 *
 * Another source takes the stream over by compare-and-swap: its first packet follows the newest one,
 * and lies in time where its arrival says, so that both sides of a fork keep one line of time. When
 * two workers receive sources of one side, packets that cross a change may share a number.
 *
 * Source: RFC 3550 5.1, 7.1 (a translator keeps losses visible), RFC 1624.
 */
#include "udp.h"

#include <errno.h>
#include <stdio.h>

#include <rte_ip.h>

#include "media/checksum.h"
#include "media/plane.h"
#include "media/session/remote.h"
#include "media/srtp/protect.h"
#include "media/stage/datagram.h"

/** Buffers of a worker for copies to the network: more than its queues and devices hold. */
#define UDP_BUFFERS 8191

/** Of those, kept beside the pool, so that a copy takes two from near. */
#define UDP_BUFFERS_CACHED 256

/** Room for a packet that is copied whole. */
#define UDP_BUFFER_BYTES (RTE_PKTMBUF_HEADROOM + 2048)

/** Least step of the timestamp at a change of the source: a usual packet. */
#define STREAM_STEP 160

/** Of the first word of RTP in memory: the marker, and what is not the sequence number. */
#define RTP_MARKER     rte_cpu_to_be_32(UINT32_C(0x800000))
#define RTP_FIRST_MASK rte_cpu_to_be_32(UINT32_C(0xffff0000))

/** Tries to take a stream over; who loses both sends by what was there. */
#define STREAM_TRIES 2

static uint16_t
stream_tag(const struct fork_route *route, const struct packet *packet)
{
	uint32_t word = atomic_load_explicit(&route->word, memory_order_relaxed);
	uint32_t mixed =
		packet->rtp.ssrc ^ packet->leg * 0x85ebca6bu ^ word / FORK_RESUMED * 0xc2b2ae35u;

	/* Never 0, which is nobody's. */
	return (uint16_t)(mixed * 0x9e3779b1u >> 16 | 1);
}

/** Where the stream's time begins: any number, which is the stream's own. */
static uint32_t
stream_base(uint32_t ssrc)
{
	return ssrc * 0x9e3779b1u;
}

/** A new source: let it follow what was sent last. */
static STW_COLD uint64_t
stream_take(const struct worker *worker, struct fork_route *route, struct fork_side *side,
	    uint32_t ssrc, const struct packet *packet)
{
	uint64_t last = atomic_load_explicit(&side->last, memory_order_relaxed);
	uint64_t map = atomic_load_explicit(&side->map, memory_order_relaxed);
	uint32_t ticks = (uint32_t)((worker->now_ns - route->start_ns) / RTP_TICK_NS);
	uint32_t timestamp = stream_base(ssrc) + ticks;
	uint16_t tag = stream_tag(route, packet);

	if ((uint16_t)map && (int32_t)(timestamp - (uint32_t)(last >> 32)) < STREAM_STEP)
		timestamp = (uint32_t)(last >> 32) + STREAM_STEP;
	for (unsigned try = 0; try < STREAM_TRIES; try++) {
		uint16_t sequence = (uint16_t)(last + 1 - packet->rtp.sequence);
		uint64_t taken = (uint64_t)(timestamp - packet->rtp.timestamp) << 32 |
				 (uint64_t)sequence << 16 | tag;

		if (atomic_compare_exchange_strong_explicit(
			    &side->map, &map, taken, memory_order_relaxed, memory_order_relaxed))
			return taken;
		if ((uint16_t)map == tag)
			break;
	}
	return map;
}

/**
 * Write the RTP header of what is sent, in words that are never read back: its sum is returned.
 */
static uint64_t
stream_write(const struct worker *worker, struct fork_route *route, struct fork_side *side,
	     const struct copy_source *source, uint8_t *rtp)
{
	const struct packet *packet = source->packet;
	uint32_t ssrc = route->ssrc[source->carries.side];
	uint64_t map = atomic_load_explicit(&side->map, memory_order_relaxed);
	uint64_t last = atomic_load_explicit(&side->last, memory_order_relaxed);
	uint32_t timestamp, first;
	uint16_t sequence;

	memcpy(&first, copy_rtp(source), sizeof(first));
	if (STW_UNLIKELY((uint16_t)map != stream_tag(route, packet))) {
		map = stream_take(worker, route, side, ssrc, packet);
		first |= RTP_MARKER;
	}
	sequence = (uint16_t)(packet->rtp.sequence + (map >> 16));
	timestamp = packet->rtp.timestamp + (uint32_t)(map >> 32);
	if ((int16_t)(sequence - (uint16_t)last) > 0)
		atomic_store_explicit(&side->last, (uint64_t)timestamp << 32 | sequence,
				      memory_order_relaxed);
	first = (first & RTP_FIRST_MASK) | rte_cpu_to_be_32(sequence);
	timestamp = rte_cpu_to_be_32(timestamp);
	ssrc = rte_cpu_to_be_32(ssrc);
	memcpy(rtp, &first, sizeof(first));
	memcpy(rtp + 4, &timestamp, sizeof(timestamp));
	memcpy(rtp + 8, &ssrc, sizeof(ssrc));
	return (uint64_t)first + timestamp + ssrc;
}

/**
 * Internet sum of what is behind the RTP header, without a look at it: the received checksum says it,
 * less what else it covers.
 */
static uint64_t
rest_sum(const struct copy_source *source)
{
	const uint8_t *frame = rte_pktmbuf_mtod(source->mbuf, const uint8_t *);
	const uint8_t *ip = frame + source->packet->ip_offset;
	const uint8_t *udp = frame + source->packet->udp_offset;
	uint64_t others = rte_cpu_to_be_16(IPPROTO_UDP);
	uint16_t checksum, bytes;

	memcpy(&checksum, udp + offsetof(struct rte_udp_hdr, dgram_cksum), sizeof(checksum));
	if (STW_UNLIKELY(!checksum))
		return checksum_add(0, copy_rest(source), source->rest_bytes);
	memcpy(&bytes, udp + offsetof(struct rte_udp_hdr, dgram_len), sizeof(bytes));
	if (ip[0] >> 4 == 4)
		others = checksum_add(others, ip + offsetof(struct rte_ipv4_hdr, src_addr), 8);
	else
		others = checksum_add(others, ip + offsetof(struct rte_ipv6_hdr, src_addr), 32);
	others += 2u * bytes;
	others = checksum_add(others, udp, 4);
	others = checksum_add(others, copy_rtp(source), STW_RTP_HEADER_BYTES);
	return (uint16_t)~checksum + (UINT64_C(0xffff) << 32) - others;
}

/** A buffer with room for the RTP header, and the rest behind it. */
static struct rte_mbuf *
buffer_make(struct worker *worker, const struct copy_source *source, bool by_reference)
{
	struct rte_mbuf *pair[2], *header, *rest;

	if (rte_pktmbuf_alloc_bulk(worker->fork_pool, pair, by_reference ? 2 : 1) < 0)
		return NULL;
	header = pair[0];
	header->data_len = STW_RTP_HEADER_BYTES;
	header->pkt_len = STW_RTP_HEADER_BYTES + source->rest_bytes;
	if (by_reference) {
		rest = pair[1];
		rte_pktmbuf_attach(rest, source->mbuf);
		rest->data_off = (uint16_t)(rest->data_off + source->header_bytes);
		rest->data_len = source->rest_bytes;
		rest->pkt_len = source->rest_bytes;
		header->next = rest;
		header->nb_segs = 2;
		return header;
	}
	if (STW_UNLIKELY(rte_pktmbuf_tailroom(header) < source->rest_bytes)) {
		rte_pktmbuf_free(header);
		return NULL;
	}
	header->data_len = (uint16_t)header->pkt_len;
	memcpy(rte_pktmbuf_mtod_offset(header, void *, STW_RTP_HEADER_BYTES), copy_rest(source),
	       source->rest_bytes);
	return header;
}

bool
udp_copy(struct worker *worker, const struct copy_source *source, uint32_t fork)
{
	struct stw_media *media = worker->media;
	struct fork_route *route = &media->forks[fork].route;
	struct fork_side *side = &media->forks[fork].sides[source->carries.side];
	struct fork_sends *sends = &worker->fork_sends;
	const struct plane_port *by = &media->ports[media->addresses[route->address].port];
	struct rte_mbuf *mbuf;
	uint16_t port, bytes;
	uint64_t sum;
	uint8_t *rtp;

	if (STW_UNLIKELY(sends->count == SEND_COPIES_MAX))
		return false;
	/* What is enciphered in place is copied into a buffer of its own. */
	mbuf = buffer_make(worker, source, by->by_reference && !route->srtp);
	if (STW_UNLIKELY(!mbuf))
		return false;
	bytes = (uint16_t)mbuf->pkt_len;
	rtp = rte_pktmbuf_mtod(mbuf, uint8_t *);
	sum = stream_write(worker, route, side, source, rtp) + rest_sum(source);
	if (STW_UNLIKELY(datagram_to(worker, route->address, &side->target, mbuf, bytes, sum,
				     &port) != PACKET_PENDING)) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	sends->sends[sends->count++] = (struct fork_send){
		.mbuf = mbuf,
		.fork = fork,
		.bytes = bytes,
		.offset = (uint16_t)(mbuf->pkt_len - bytes),
		.port = (uint8_t)port,
		.side = source->carries.side,
	};
	return true;
}

void
udp_send(struct worker *worker)
{
	struct fork_sends *sends = &worker->fork_sends;

	for (uint32_t i = 0; i < sends->count; i++) {
		const struct fork_send *send = &sends->sends[i];

		uint32_t context = worker->media->forks[send->fork].route.srtp;
		struct send_note note = {
			.leg = send->fork, .kind = SEND_FORKED, .verdict = send->side};

		if (STW_LIKELY(!context))
			worker_send(worker, send->port, send->mbuf, note);
		else
			protect_add(worker, context, send->mbuf, send->offset, send->bytes, false,
				    send->port, note);
	}
	sends->count = 0;
}

bool
udp_config_is_valid(const struct stw_media *media, const struct stw_fork_config *config)
{
	return config->dscp <= 63 && remote_is_party(media, config->address, &config->remote) &&
	       (config->remote_agent.ip.family == 0 ||
		remote_is_party(media, config->address, &config->remote_agent)) &&
	       (!config->srtp || srtp_keys_are_valid(config->srtp));
}

/** Make the workers' buffers, when the first fork to the network comes. */
static int
pools_make(struct stw_media *media)
{
	static _Atomic unsigned serial;
	char name[RTE_MEMPOOL_NAMESIZE];

	for (uint32_t i = 0; i < media->workers_count; i++) {
		struct worker *worker = &media->workers[i];

		if (worker->fork_pool)
			continue;
		snprintf(name, sizeof(name), "stw_fork_%u",
			 atomic_fetch_add_explicit(&serial, 1, memory_order_relaxed));
		worker->fork_pool = rte_pktmbuf_pool_create(name, UDP_BUFFERS, UDP_BUFFERS_CACHED,
							    0, UDP_BUFFER_BYTES, SOCKET_ID_ANY);
		if (!worker->fork_pool)
			return -ENOMEM;
	}
	return 0;
}

int
udp_open(struct stw_media *media, struct fork *fork, const struct stw_fork_config *config,
	 uint64_t now_ns)
{
	struct ports *ports = &media->address_ports[config->address];
	int error = pools_make(media);

	fork->route.srtp = 0;
	if (error == 0 && config->srtp)
		error = srtp_context_add(media, config->srtp, &fork->route.srtp);
	if (error < 0)
		return error == -ENOSPC ? plane_refuse(media, STW_LIMIT_SRTP) : error;
	if (ports_take(ports, true, &fork->local_place) < 0) {
		if (fork->route.srtp)
			srtp_context_remove(media, fork->route.srtp);
		return plane_refuse(media, STW_LIMIT_UDP_PORTS);
	}
	media->forks_ports++;
	fork->route.address = config->address;
	fork->route.start_ns = now_ns;
	for (unsigned i = 0; i < STW_SIDE_COUNT; i++) {
		const struct stw_endpoint *to =
			i == STW_SIDE_AGENT && config->remote_agent.ip.family
				? &config->remote_agent
				: &config->remote;

		fork->route.ssrc[i] = plane_random(media);
		fork->sides[i].target = (struct datagram_target){
			.ip = to->ip,
			.port = rte_cpu_to_be_16(to->port),
			.local_port = rte_cpu_to_be_16(ports_number(ports, fork->local_place)),
			.dscp = config->dscp,
		};
		atomic_store_explicit(&fork->sides[i].map, 0, memory_order_relaxed);
		atomic_store_explicit(&fork->sides[i].last, plane_random(media) & 0xffff,
				      memory_order_relaxed);
	}
	return 0;
}

void
udp_close(struct stw_media *media, struct fork *fork, uint64_t now_ns)
{
	uint64_t until_ns = media->quarantine_ns ? now_ns + media->quarantine_ns : 0;

	if (fork->route.srtp)
		srtp_context_remove(media, fork->route.srtp);
	ports_release(&media->address_ports[fork->route.address], fork->local_place, true,
		      until_ns);
	media->forks_ports--;
}

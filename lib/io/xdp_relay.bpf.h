/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * Relay inside the kernel: a leg's RTP that needs nothing else than to be rewritten is sent on by the program
 * itself. What the rows are, who writes them and why nothing is overtaken: media/kernel/row.h, whose labels
 * are used here.
 *
 * A packet is sent by bpf_redirect, also where it leaves by the interface that it came from: what was
 * redirected in a turn of the driver is at the device before what went to sockets in it is shown there,
 * while some drivers (veth) send what XDP_TX holds back only after that. So a leg's next packet, which its
 * worker sends, would overtake.
 *
 * The header checksum of IPv4 is looked at, as it is made anew; that of UDP is only changed, so a datagram
 * that came damaged goes on damaged and its receiver finds out. It asks for no look at the payload.
 *
 * Loaded without the relay, the verifier sees that none of this is ever run, and takes it out.
 */
#ifndef STW_IO_XDP_RELAY_BPF_H
#define STW_IO_XDP_RELAY_BPF_H

#include "media/kernel/row.h"
#include "media/session/leg_shared.h"
#include "steer_map.h"
#include "xdp_hop.bpf.h"
#include "xdp_relay_maps.bpf.h"
#include "xdp_rewrite.bpf.h"

/** Of an entry's index: its line, and its place in that. */
#define RELAY_LINE_SHIFT 4
#define RELAY_LINE_MASK  (KERNEL_ENTRIES_A_LINE - 1)

/** In the first word of an RTP header, host order: version 2 and nothing else; a second byte of RTCP. */
#define RELAY_VERSION_MASK 0xc0000000u
#define RELAY_FIRST_MASK   0xff000000u
#define RELAY_FIRST_PLAIN  0x80000000u
#define RELAY_RTCP_MASK    0x00600000u
#define RELAY_RTCP         0x00400000u

/** No action of XDP. */
#define RELAY_NOT_SENT (-1)

/** All that is known of a packet while it is looked at. */
struct relay {
	struct rewrite_packet packet;
	struct kernel_row *row;
	struct leg_intake *intake;
	struct leg_egress *egress;
	uint64_t now_ns;
	uint32_t leg;
	union egress_map map;
	union egress_last last;
	struct rtp_numbers numbers;
};

/** What is to be done with it. */
enum relay_fate {
	RELAY_SOCKET, /* nothing of the leg's media in order, or another's */
	RELAY_WORKER, /* its worker's, and the packets after it have to wait for that */
	RELAY_LEAVES, /* the same, and so are the packets after it */
	RELAY_FOREIGN,
	RELAY_WAITS,
	RELAY_SENDS,
};

/** Whether a payload is RTP, of any kind; RTCP may come on the same port (media/stage/lookup.c). */
static __always_inline int
relay_can_be_rtp(const struct rewrite_packet *packet)
{
	uint32_t first = bpf_ntohl(packet->rtp[0]);

	return (first & RELAY_VERSION_MASK) == RELAY_FIRST_PLAIN &&
	       (first & RELAY_RTCP_MASK) != RELAY_RTCP;
}

/** The leg that has a UDP port for its RTP; 0: none. */
static __always_inline uint32_t
relay_leg(const struct steer_ranges *ranges, uint16_t port)
{
	uint32_t index = ranges->entries_base + port - STEER_ENTRIES_BASE;
	uint32_t line = index >> RELAY_LINE_SHIFT;
	struct kernel_entries *found;
	uint32_t entry;

	if (!ranges->entries_base)
		return 0;
	found = bpf_map_lookup_elem(&entries, &line);
	if (!found)
		return 0;
	entry = shared_load(&found->entry[index & RELAY_LINE_MASK]);
	return entry & LEG_ENTRY_RTCP ? 0 : entry;
}

/** Whether a leg's last packet that went to a worker is finished there. */
static __always_inline int
relay_is_after_workers(const struct kernel_row *row)
{
	uint64_t ticket = shared_load(&row->ticket);
	uint32_t index = ticket >> KERNEL_TICKET_QUEUE_SHIFT;
	struct kernel_queue *queue;

	if (!ticket)
		return 1;
	queue = bpf_map_lookup_elem(&queues, &index);
	/* K4, pairs with K3: what the worker has sent is at the device before what is sent here. */
	return queue && shared_load(&queue->handled) >= (ticket & KERNEL_TICKET_COUNT);
}

static __always_inline int
relay_source_is(const struct kernel_row *row, const struct rewrite_packet *packet)
{
	if (row->source_port != packet->source_port || row->source[0] != packet->source[0])
		return 0;
	if (!packet->v6)
		return !(row->flags & KERNEL_SOURCE_V6);
	return row->flags & KERNEL_SOURCE_V6 && row->source[1] == packet->source[1] &&
	       row->source[2] == packet->source[2] && row->source[3] == packet->source[3];
}

/** Whether a packet's headers need more than to be rewritten. */
static __always_inline int
relay_is_odd(const struct kernel_row *row, const struct rewrite_packet *packet)
{
	uint32_t first = bpf_ntohl(packet->rtp[0]);
	uint8_t type = first >> REWRITE_TYPE_SHIFT & REWRITE_TYPE_MASK;

	return packet->extended || (first & RELAY_FIRST_MASK) != RELAY_FIRST_PLAIN ||
	       (row->event_pt && type == row->event_pt) ||
	       (row->flags & KERNEL_AUDIO_ONLY && type != row->audio_pt_in) ||
	       (!packet->checksum && row->flags & KERNEL_TO_V6);
}

/**
 * Look for all that is read of the leg, and read a word of each line: the CPU goes on meanwhile, so that it waits
 * for memory once instead of line by line. The numbers that the peer gets often lie beside the leg's own.
 */
static __always_inline int
relay_rows(struct relay *relay)
{
	struct leg_egress *beside;

	relay->row = bpf_map_lookup_elem(&rows, &relay->leg);
	relay->intake = bpf_map_lookup_elem(&intakes, &relay->leg);
	beside = bpf_map_lookup_elem(&egresses, &relay->leg);
	if (!relay->row || !relay->intake || !beside)
		return 0;
	(void)*(volatile uint32_t *)&relay->row->state;
	(void)*(volatile uint64_t *)&relay->intake->reception.packets;
	(void)*(volatile uint64_t *)&beside->map;
	(void)*(volatile uint64_t *)&relay->row->mac_to;
	(void)*(volatile uint64_t *)&relay->intake->bytes;
	return 1;
}

/** Whether a packet goes on where the one before left off: in what is received and what is sent. */
static __always_inline int
relay_goes_on(struct relay *relay)
{
	uint32_t peer = relay->row->peer;

	relay->egress = bpf_map_lookup_elem(&egresses, &peer);
	if (!relay->egress)
		return 0;
	/* In this order, and a worker that takes a turn writes them in the other one: who finds the turn as it was
	 * and `last` unchanged at the end has numbers of that turn. */
	relay->last.word = shared_load(&relay->egress->last);
	relay->map.word = shared_load(&relay->egress->map);
	relay->numbers.sequence = (uint16_t)bpf_ntohl(relay->packet.rtp[0]);
	relay->numbers.timestamp = bpf_ntohl(relay->packet.rtp[1]);
	relay->numbers.ssrc = bpf_ntohl(relay->packet.rtp[2]);
	return rtp_reception_goes_on(&relay->intake->reception, &relay->numbers) &&
	       shared_load(&relay->intake->voice) == egress_voice(peer, relay->map.turn);
}

static __always_inline enum relay_fate
relay_judge(struct relay *relay)
{
	struct kernel_row *row;

	if (!relay_rows(relay))
		return RELAY_SOCKET;
	row = relay->row;
	/* K2, pairs with K1: the row is seen as control filled it. */
	if (shared_load(&row->state) != KERNEL_KERNEL)
		return RELAY_WORKER;
	if (!relay_source_is(row, &relay->packet))
		return row->flags & KERNEL_FOREIGN_STEERED ? RELAY_SOCKET : RELAY_FOREIGN;
	if (!relay_is_after_workers(row))
		return RELAY_WAITS;
	if (relay_is_odd(row, &relay->packet) || !relay_goes_on(relay))
		return RELAY_LEAVES;
	return RELAY_SENDS;
}

/** Leave a leg to its worker, if it is not already. */
static __noinline int
relay_leave(struct kernel_row *row, uint64_t now_ns)
{
	/* Before the state, so that who sees the one sees the other. */
	shared_store(&row->left_ns, now_ns);
	if (__sync_val_compare_and_swap(&row->state, KERNEL_KERNEL, KERNEL_WORKER) == KERNEL_KERNEL)
		relay_count(KERNEL_COUNT_LEFT);
	return 0;
}

static __noinline int
relay_foreign(uint32_t leg)
{
	struct leg_intake *intake = bpf_map_lookup_elem(&intakes, &leg);

	if (intake)
		__sync_fetch_and_add(&intake->packets_foreign, 1);
	relay_count(KERNEL_COUNT_FOREIGN);
	return XDP_DROP;
}

/** Whether a packet has a share of the second; what has none is counted. */
static __noinline int
relay_rate_allows(uint32_t leg, uint64_t now_ns)
{
	struct leg_options *limits = bpf_map_lookup_elem(&options, &leg);

	if (!limits || options_share_take(limits, now_ns))
		return 1;
	__sync_fetch_and_add(&limits->packets_capped, 1);
	relay_count(KERNEL_COUNT_RATE);
	return 0;
}

/** Count a packet as stage receive does. */
static __always_inline void
relay_receive(struct relay *relay, uint32_t ticks)
{
	struct leg_intake *intake = relay->intake;
	uint32_t sequence_next = intake->reception.sequence_max + 1;
	enum rtp_reception_fate fate =
		rtp_reception_count_at(&intake->reception, &relay->numbers, ticks);

	if (STW_UNLIKELY(fate != RTP_RECEPTION_NEXT ||
			 intake->reception.sequence_max != sequence_next))
		intake_row_broken(intake, fate, intake->reception.sequence_max - sequence_next, 0);
	shared_store(&intake->bytes, shared_load(&intake->bytes) + relay->packet.udp_bytes -
					     REWRITE_UDP_BYTES - REWRITE_RTP_BYTES);
	shared_store(&intake->heard_ns, relay->now_ns);
}

/** The numbers that a packet is sent with. */
static __always_inline struct egress_numbers
relay_numbers(const struct relay *relay)
{
	return (struct egress_numbers){
		.sequence = (uint16_t)(relay->numbers.sequence + relay->map.sequence),
		.timestamp = relay->numbers.timestamp + relay->map.timestamp,
	};
}

/**
 * Note the numbers as egress_note does; 0 when a worker takes the turn, or has taken it since they were looked
 * at. It takes its number first: then a packet that is ahead of all that were received has a number that is not.
 */
static __always_inline int
relay_note(struct relay *relay, uint32_t ticks)
{
	uint16_t ahead =
		(uint16_t)(relay->numbers.sequence - relay->intake->reception.sequence_max);
	struct egress_numbers numbers = relay_numbers(relay);
	union egress_last next;

	if (!egress_next(relay->last, &numbers, ticks, &next))
		return ahead == 0 || ahead >= RTP_DROPOUT_MAX;
	return __sync_val_compare_and_swap(&relay->egress->last, relay->last.word, next.word) ==
	       relay->last.word;
}

/** Number a packet as stage translate does: its new RTP header. */
static __always_inline void
relay_number(struct relay *relay, uint32_t rtp[3])
{
	const struct kernel_row *row = relay->row;
	uint32_t first = bpf_ntohl(relay->packet.rtp[0]);
	struct egress_numbers numbers = relay_numbers(relay);

	if ((first >> REWRITE_TYPE_SHIFT & REWRITE_TYPE_MASK) == row->audio_pt_in)
		first = (first & ~(REWRITE_TYPE_MASK << REWRITE_TYPE_SHIFT)) |
			(uint32_t)row->audio_pt_to << REWRITE_TYPE_SHIFT;
	rtp[0] = bpf_htonl((first & 0xffff0000) | numbers.sequence);
	rtp[1] = bpf_htonl(numbers.timestamp);
	rtp[2] = row->ssrc;
}

/** Send a packet on; an action, or RELAY_NOT_SENT: the leg is to be left to its worker. */
static __always_inline int
relay_send(struct xdp_md *ctx, struct relay *relay)
{
	uint32_t ticks = egress_ticks(relay->now_ns);
	struct kernel_row *row = relay->row;
	uint32_t rtp[3];

	if (row->flags & KERNEL_RATE_CAP && !relay_rate_allows(relay->leg, relay->now_ns))
		return XDP_DROP;
	if (!(row->flags & KERNEL_HOP_GIVEN) && relay->now_ns > shared_load(&row->hop_until_ns))
		hop_refresh(ctx, row, relay->now_ns);
	if (!relay_note(relay, ticks))
		return RELAY_NOT_SENT;
	relay_receive(relay, ticks);
	if (!rewrite_fit(ctx, &relay->packet, rewrite_udp_offset(row)))
		goto no_buffer;
	relay_number(relay, rtp);
	if (!rewrite_write(ctx, row, &relay->packet, rtp))
		goto no_buffer;
	shared_store(&relay->intake->relayed, shared_load(&relay->intake->relayed) + 1);
	relay_count(KERNEL_COUNT_RELAYED);
	return bpf_redirect(row->ifindex, 0);
no_buffer:
	relay_count(KERNEL_COUNT_NO_BUFFER);
	return XDP_DROP;
}

/** Note which packet of a queue's was a leg's last one that went to its worker. */
static __always_inline void
relay_ticket(const struct xdp_md *ctx, struct kernel_row *row)
{
	uint32_t index = relay_queue_first + ctx->rx_queue_index;
	struct kernel_queue *queue = bpf_map_lookup_elem(&queues, &index);
	uint64_t count;

	if (!queue)
		return;
	count = __sync_fetch_and_add(&queue->steered, 1) + 1;
	if (row)
		shared_store(&row->ticket, (uint64_t)index << KERNEL_TICKET_QUEUE_SHIFT | count);
}

#endif

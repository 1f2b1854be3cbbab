/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * A relayed packet's new headers, byte for byte as a worker writes them (media/stage/relay.c, rewrite.c): between
 * IPv4 and IPv6, with and without a VLAN's tag. The UDP header and what is behind it stay where they are; the
 * frame's beginning moves.
 *
 * The UDP checksum is changed by what changes: the row has the sum of that for addresses and ports, so of the
 * payload no more than the RTP header is read.
 *
 * Source: RFC 1624 (checksum), RFC 768 (0: none), RFC 8200 3, RFC 791, IEEE 802.1Q 9.6 (tag), RFC 2474 4.2.2.
 */
#ifndef STW_IO_XDP_REWRITE_BPF_H
#define STW_IO_XDP_REWRITE_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "media/checksum_fold.h"
#include "media/kernel/row.h"

#define REWRITE_TTL 64

/** Bits of the type-of-service byte that are not the code point: congestion, kept. */
#define REWRITE_ECN_MASK 0x03

/** Word of an IPv4 header: no identification, not to be fragmented. */
#define REWRITE_NO_FRAGMENTS 0x00004000

#define REWRITE_IP4_BYTES 20
#define REWRITE_IP6_BYTES 40
#define REWRITE_TAG_BYTES 4
#define REWRITE_UDP_BYTES 8
#define REWRITE_RTP_BYTES 12

/** In the first word of an RTP header, host order. */
#define REWRITE_TYPE_SHIFT 16
#define REWRITE_TYPE_MASK  0x7fu

/** What a packet's headers say. Words in the order of the wire, but for what is said. */
struct rewrite_packet {
	uint32_t source[4];
	uint32_t rtp[3];     /**< its RTP header */
	uint32_t fragment;   /**< IPv4: identification and fragments */
	uint32_t udp_offset; /**< of the UDP header in the frame */
	uint16_t udp_bytes;  /**< UDP header and payload; host order */
	uint16_t checksum;   /**< of UDP */
	uint16_t source_port;
	uint8_t congestion; /**< the two bits of explicit congestion notification */
	uint8_t v6;         /**< 1: IPv6 */
	uint8_t tagged;     /**< 1: in a VLAN */
	uint8_t extended;   /**< 1: options of IPv4 or extension headers of IPv6 */
};

/** Bytes in front of the UDP header that is sent. */
static __always_inline uint32_t
rewrite_udp_offset(const struct kernel_row *row)
{
	return ETH_HLEN + (row->vlan ? REWRITE_TAG_BYTES : 0) +
	       (row->flags & KERNEL_TO_V6 ? REWRITE_IP6_BYTES : REWRITE_IP4_BYTES);
}

/**
 * Let the frame end with the datagram, and begin where its new headers will.
 *
 * @return 1; 0 when there is no room in front of it, or the driver cannot trim it
 */
static __always_inline int
rewrite_fit(struct xdp_md *ctx, const struct rewrite_packet *packet, uint32_t udp_offset)
{
	uint32_t bytes = packet->udp_offset + packet->udp_bytes;
	uint32_t frame_bytes = ctx->data_end - ctx->data;

	if (frame_bytes != bytes && bpf_xdp_adjust_tail(ctx, (int)(bytes - frame_bytes)))
		return 0;
	return packet->udp_offset == udp_offset ||
	       !bpf_xdp_adjust_head(ctx, (int)(packet->udp_offset - udp_offset));
}

/** Write link addresses, tag and type. @return how many bytes */
static __always_inline uint32_t
rewrite_ether(uint8_t *frame, const struct kernel_row *row)
{
	uint16_t type = row->flags & KERNEL_TO_V6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);

	/* Eight bytes at once, as they are refreshed. */
	*(uint64_t *)frame = *(const uint64_t *)row->mac_to;
	*(uint32_t *)(frame + 8) = *(const uint32_t *)(row->mac_from + 2);
	if (row->vlan) {
		uint32_t priority = row->dscp >> 3;

		*(uint16_t *)(frame + 12) = bpf_htons(ETH_P_8021Q);
		*(uint16_t *)(frame + 14) = bpf_htons((uint16_t)(priority << 13 | row->vlan));
		*(uint16_t *)(frame + 16) = type;
		return ETH_HLEN + REWRITE_TAG_BYTES;
	}
	*(uint16_t *)(frame + 12) = type;
	return ETH_HLEN;
}

static __always_inline void
rewrite_ip4(uint32_t *ip, const struct kernel_row *row, const struct rewrite_packet *packet)
{
	uint32_t bytes = REWRITE_IP4_BYTES + packet->udp_bytes;
	uint32_t service = (uint32_t)row->dscp << 2 | packet->congestion;
	uint32_t first = bpf_htonl(0x45000000 | service << 16 | bytes);
	uint32_t second = packet->v6 || packet->tagged || row->vlan
				  ? bpf_htonl(REWRITE_NO_FRAGMENTS)
				  : packet->fragment;
	uint32_t third = bpf_htonl(REWRITE_TTL << 24 | IPPROTO_UDP << 16);
	uint64_t sum = (uint64_t)first + second + third + row->from[0] + row->to[0];

	ip[0] = first;
	ip[1] = second;
	ip[2] = third;
	((uint16_t *)ip)[5] = (uint16_t)~checksum_fold(sum);
	ip[3] = row->from[0];
	ip[4] = row->to[0];
}

static __always_inline void
rewrite_ip6(uint32_t *ip, const struct kernel_row *row, const struct rewrite_packet *packet)
{
	uint32_t service = (uint32_t)row->dscp << 2 | packet->congestion;

	ip[0] = bpf_htonl(6u << 28 | service << 20);
	ip[1] = bpf_htonl((uint32_t)packet->udp_bytes << 16 | IPPROTO_UDP << 8 | REWRITE_TTL);
	__builtin_memcpy(ip + 2, row->from, sizeof(row->from));
	__builtin_memcpy(ip + 6, row->to, sizeof(row->to));
}

/** Write ports, checksum and RTP header; rtp is the new one, as on the wire. */
static __always_inline void
rewrite_udp(uint16_t *udp, const struct kernel_row *row, const struct rewrite_packet *packet,
	    const uint32_t rtp[3])
{
	uint32_t *header = (uint32_t *)(udp + 4);
	uint64_t sum = (uint16_t)~packet->checksum;
	int i;

	sum += row->sum_change;
	for (i = 0; i < 3; i++) {
		/* A word's complement is what takes it away. */
		sum += (uint32_t)~packet->rtp[i];
		sum += rtp[i];
		header[i] = rtp[i];
	}
	udp[0] = row->port_from;
	udp[1] = row->port_to;
	if (packet->checksum) {
		uint16_t checksum = (uint16_t)~checksum_fold(sum);

		udp[3] = checksum ? checksum : 0xffff;
	}
}

/** Write all headers of a frame that fits. @return 1; 0: it does not */
static __always_inline int
rewrite_write(struct xdp_md *ctx, const struct kernel_row *row, const struct rewrite_packet *packet,
	      const uint32_t rtp[3])
{
	uint8_t *frame = (uint8_t *)(long)ctx->data;
	uint8_t *end = (uint8_t *)(long)ctx->data_end;
	uint8_t *at;

	if (frame + ETH_HLEN + REWRITE_TAG_BYTES > end)
		return 0;
	at = frame + rewrite_ether(frame, row);
	if (row->flags & KERNEL_TO_V6) {
		if (at + REWRITE_IP6_BYTES > end)
			return 0;
		rewrite_ip6((uint32_t *)at, row, packet);
		at += REWRITE_IP6_BYTES;
	} else {
		if (at + REWRITE_IP4_BYTES > end)
			return 0;
		rewrite_ip4((uint32_t *)at, row, packet);
		at += REWRITE_IP4_BYTES;
	}
	if (at + REWRITE_UDP_BYTES + REWRITE_RTP_BYTES > end)
		return 0;
	rewrite_udp((uint16_t *)at, row, packet, rtp);
	return 1;
}

#endif

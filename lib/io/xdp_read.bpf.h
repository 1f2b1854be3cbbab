/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * Reads the headers of a datagram to an owned port, as relay inside the kernel wants them, and as strictly as a
 * worker does (media/stage/parse.c): what contradicts itself is the worker's, which counts it.
 */
#ifndef STW_IO_XDP_READ_BPF_H
#define STW_IO_XDP_READ_BPF_H

#include <linux/bpf.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "steer_map.h"
#include "xdp_rewrite.bpf.h"

/** A datagram to an owned address, as steering has found it. The headers are in the frame, whole. */
struct steer_datagram {
	const struct steer_ranges *ranges;
	void *ip;
	void *udp;
	__u32 vlan; /* 0: none */
	__u8 v6;
	__u8 extended; /* there is more between IP's header and UDP's */
};

/** Read an IPv4 header. @return the datagram's bytes; 0: its checksum is wrong */
static __always_inline uint32_t
read_ip4(const struct iphdr *ip, struct rewrite_packet *packet)
{
	const uint32_t *words = (const uint32_t *)ip;
	uint64_t sum = (uint64_t)words[0] + words[1] + words[2] + words[3] + words[4];

	packet->source[0] = ip->saddr;
	packet->fragment = words[1];
	packet->congestion = ip->tos & REWRITE_ECN_MASK;
	/* With options it is not relayed here, so its worker looks. */
	if (!packet->extended && checksum_fold(sum) != 0xffff)
		return 0;
	return bpf_ntohs(ip->tot_len);
}

static __always_inline uint32_t
read_ip6(const struct ipv6hdr *ip, struct rewrite_packet *packet)
{
	__builtin_memcpy(packet->source, &ip->saddr, sizeof(packet->source));
	packet->congestion = ip->flow_lbl[0] >> 4 & REWRITE_ECN_MASK;
	return REWRITE_IP6_BYTES + bpf_ntohs(ip->payload_len);
}

/** Read a datagram. @return 1 when it can be RTP: its lengths are right, and there is a header's worth */
static __always_inline int
read_packet(const struct xdp_md *ctx, const struct steer_datagram *datagram,
	    struct rewrite_packet *packet)
{
	void *frame = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	const struct udphdr *udp = datagram->udp;
	const uint32_t *rtp = (const uint32_t *)(udp + 1);
	uint32_t ip_bytes;

	if ((void *)(rtp + 3) > end)
		return 0;
	packet->v6 = datagram->v6;
	packet->tagged = datagram->vlan != 0;
	packet->extended = datagram->extended;
	ip_bytes = datagram->v6 ? read_ip6(datagram->ip, packet) : read_ip4(datagram->ip, packet);
	packet->udp_offset = (uint32_t)(datagram->udp - frame);
	packet->udp_bytes = bpf_ntohs(udp->len);
	packet->checksum = udp->check;
	packet->source_port = udp->source;
	packet->rtp[0] = rtp[0];
	packet->rtp[1] = rtp[1];
	packet->rtp[2] = rtp[2];
	return packet->udp_bytes >= REWRITE_UDP_BYTES + REWRITE_RTP_BYTES &&
	       packet->udp_bytes <= ip_bytes - (uint32_t)(datagram->udp - datagram->ip) &&
	       ip_bytes <= (uint32_t)(end - datagram->ip) &&
	       (uint32_t)(datagram->udp - datagram->ip) <= ip_bytes &&
	       !(packet->v6 && !packet->checksum);
}

#endif

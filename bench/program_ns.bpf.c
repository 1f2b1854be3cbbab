/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * The steering program as it is, and in front of it a generator: the kernel runs one frame over and over, so
 * before each run the frame's headers are written anew, as the next packet of the next leg. The legs come in an
 * order that jumps about (a full period of a linear congruence), each once in a round.
 *
 * program_ns_none is the generator alone, for what it takes to be taken away.
 */
#include "xdp_steer.bpf.c"

#include "program_ns.h"

const volatile __u32 legs = 1;

struct {
	__u32 leg;
	__u32 round;
} at;

/** Write the next packet. @return 1; 0 when the frame is too short */
static __always_inline int
packet_next(struct xdp_md *ctx)
{
	__u8 *frame = (void *)(long)ctx->data;
	struct iphdr *ip = (void *)(frame + ETH_HLEN);
	struct udphdr *udp = (void *)(ip + 1);
	__u32 *words = (void *)ip;
	__u32 *rtp = (void *)(udp + 1);
	__u32 leg = (__u32)(((__u64)at.leg * PROGRAM_FACTOR + PROGRAM_STEP) % legs);

	if ((void *)(rtp + 3) > (void *)(long)ctx->data_end)
		return 0;
	at.leg = leg;
	at.round += leg == 0;
	words[0] = bpf_htonl(0x45000000 | (PROGRAM_FRAME_BYTES - ETH_HLEN));
	words[1] = 0;
	words[2] = bpf_htonl(0x40110000);
	words[3] = bpf_htonl(PROGRAM_SOURCE + leg);
	words[4] = bpf_htonl(PROGRAM_LOCAL + leg / PROGRAM_PORTS);
	ip->check = ~checksum_fold((__u64)words[0] + words[2] + words[3] + words[4]);
	udp->source = bpf_htons(PROGRAM_SOURCE_PORT);
	udp->dest = bpf_htons(PROGRAM_PORT + leg % PROGRAM_PORTS);
	udp->len = bpf_htons(PROGRAM_FRAME_BYTES - ETH_HLEN - 20);
	udp->check = 0x1234;
	rtp[0] = bpf_htonl(0x80080000 | (at.round & 0xffff));
	rtp[1] = bpf_htonl(at.round * 160);
	rtp[2] = bpf_htonl(leg);
	return 1;
}

SEC("xdp")
int
program_ns_whole(struct xdp_md *ctx)
{
	return packet_next(ctx) ? steer(ctx) : XDP_ABORTED;
}

SEC("xdp")
int
program_ns_none(struct xdp_md *ctx)
{
	return packet_next(ctx) ? XDP_REDIRECT : XDP_ABORTED;
}

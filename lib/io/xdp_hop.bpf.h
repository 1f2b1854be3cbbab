/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * The link address of a leg's next hop, as the kernel knows it now.
 *
 * The kernel tells it only of interfaces on which forwarding is enabled, and only what it knows: where it
 * says nothing the old address stays, and it is asked again a while later.
 *
 * Another CPU may send a packet of the leg meanwhile: the address is written together with the two bytes
 * behind it, which do not change, as one aligned word, and read so; it is the old or the new one.
 */
#ifndef STW_IO_XDP_HOP_BPF_H
#define STW_IO_XDP_HOP_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "media/kernel/row.h"

/** Of socket.h, which is not for BPF. */
#define HOP_FAMILY_IPV4 2
#define HOP_FAMILY_IPV6 10

_Static_assert(__builtin_offsetof(struct kernel_row, mac_to) % 8 == 0, "one word");
_Static_assert(__builtin_offsetof(struct kernel_row, mac_from) ==
		       __builtin_offsetof(struct kernel_row, mac_to) + 6,
	       "the word's other two bytes");

union hop_word {
	uint64_t word;
	uint8_t mac[6];
	uint16_t parts[4];
};

static __noinline int
hop_refresh(struct xdp_md *ctx, struct kernel_row *row, uint64_t now_ns)
{
	volatile uint64_t *place = (volatile uint64_t *)row->mac_to;
	struct bpf_fib_lookup hop = {.ifindex = row->hop_ifindex};
	union hop_word word = {*place};

	/* First, so that few ask at one time. */
	shared_store(&row->hop_until_ns, now_ns + KERNEL_HOP_NS);
	if (row->flags & KERNEL_TO_V6) {
		hop.family = HOP_FAMILY_IPV6;
		__builtin_memcpy(hop.ipv6_src, row->from, sizeof(row->from));
		__builtin_memcpy(hop.ipv6_dst, row->hop, sizeof(row->hop));
	} else {
		hop.family = HOP_FAMILY_IPV4;
		hop.ipv4_src = row->from[0];
		hop.ipv4_dst = row->hop[0];
	}
	if (bpf_fib_lookup(ctx, &hop, sizeof(hop), BPF_FIB_LOOKUP_OUTPUT) !=
	    BPF_FIB_LKUP_RET_SUCCESS)
		return 0;
	__builtin_memcpy(word.mac, hop.dmac, sizeof(word.mac));
	/* A neighbour that never answered may be told as 0. */
	if (word.parts[0] | word.parts[1] | word.parts[2])
		*place = word.word;
	return 0;
}

#endif

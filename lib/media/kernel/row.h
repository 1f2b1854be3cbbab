/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the relay inside the kernel (lib/io/xdp_relay.bpf.h), control and the workers share. No other headers
 * than the compiler's own.
 *
 * Idea: the program is one more worker. It reads and writes the very rows of legs that workers do (intake,
 * egress, options: leg_shared.h), which lie in BPF maps that the process has mapped, so a leg that moves between
 * kernel and worker moves no data. Beside them each leg has a kernel row: what control has worked out of its
 * description and its peer's for a packet that needs nothing else than to be rewritten. The row is
 * filled while no program uses it, and `state` says who relays the leg's RTP: one word.
 *
 * A program takes a leg's RTP only if each packet of it that went to a worker before was sent on by
 * then: the *ticket*. A queue counts the packets that go to its socket (`steered`), and its worker those that it
 * has finished (`handled`), both in the queue's order; a leg's row has the count of its last one.
 * So going from worker to kernel overtakes nothing. Going back overtakes nothing, as what a program has sent
 * is at the device before what it gives to a socket in the same turn is shown there.
 *
 * What a program cannot do, or would begin anew (another source, a jump of numbers, telephone events,
 * headers with options), it leaves to the worker with all that follows: it sets `state` itself.
 *
 * A number is given to one packet: a worker that takes a turn at a leg takes its first number by
 * compare-and-swap of `last` before it takes the turn, the program reads `last` before the turn and
 * notes its own number so. One of the two has to look again.
 *
 *  label  where                                   order        pairs with  without it
 *  K1     (kernel.c) row filled, state: KERNEL    seq_cst      K2          a program uses a row half filled
 *  K2     (xdp_relay.bpf.h) state: read           dependency   K1          same
 *  K3     (io/worker.c) handled: added            release      K4          a packet overtakes one of a worker's
 *  K4     (xdp_relay.bpf.h) handled: read         dependency   K3          same
 *  K5     (kernel.c) state: KERNEL, then remote   seq_cst      K6          a leg that latched elsewhere is sent
 *         read again                                                       to where it was
 *  K6     (source.c) remote latched, then state:  seq_cst      K5          same
 *         WORKER
 */
#ifndef STW_MEDIA_KERNEL_ROW_H
#define STW_MEDIA_KERNEL_ROW_H

#include <stdint.h>

#include "base/base.h"
#include "base/shared.h"

/** Who relays a leg's RTP: kernel_row.state. */
enum kernel_state {
	KERNEL_WORKER, /**< its worker */
	KERNEL_KERNEL, /**< the program, from the next packet on that no worker's packet is before */
};

/** Bits of kernel_row.flags. */
enum kernel_flag {
	KERNEL_FOREIGN_STEERED = 1 << 0, /**< other sources' packets are for the worker to judge: it
					      may re-latch; else they are dropped */
	KERNEL_RATE_CAP = 1 << 1,        /**< leg_options limits it */
	KERNEL_AUDIO_ONLY = 1 << 2, /**< other payload types than audio_pt_in leave the kernel */
	KERNEL_HOP_GIVEN = 1 << 3,  /**< mac_to is the host's or control's: never looked up */
	KERNEL_SOURCE_V6 = 1 << 4,
	KERNEL_TO_V6 = 1 << 5,
};

/** One leg's, by slot. Addresses and ports as on the wire; IPv4 in the first 4 bytes, the rest 0. */
struct kernel_row {
	/* Control, but for what is said; the line that each packet of the leg asks for. */
	SHARED_U32 state; /**< enum kernel_state; control, workers and the program */
	uint32_t peer;    /**< leg that it is sent to */
	SHARED_U64
	ticket; /**< the program's: bits 48 - 63 queue, 0 - 47 of its `steered`: the leg's
				  last RTP packet that went to a worker */
	uint32_t source[4]; /**< address of the leg's party */
	uint16_t source_port;
	uint16_t flags;      /**< bits of enum kernel_flag */
	uint8_t audio_pt_in; /**< payload type of its audio ... */
	uint8_t audio_pt_to; /**< ... and what the peer gets instead */
	uint8_t event_pt;    /**< of telephone events, which are the worker's; 0: none */
	uint8_t dscp;        /**< of what is sent */
	uint32_t ssrc;       /**< of what is sent, as on the wire */
	uint32_t ifindex;    /**< it goes out here */
	SHARED_U64 left_ns;  /**< the program's: when it left the leg to the worker last */

	/* Control. The line of what is sent. */
	uint8_t mac_to[6] STW_ALIGNED_LINE; /**< next hop; the program refreshes it */
	uint8_t mac_from[6];
	uint16_t vlan;      /**< identifier, host order; 0: no tag */
	uint16_t port_from; /**< our own, of the peer */
	uint16_t port_to;   /**< the peer's party's */
	uint16_t unused;
	uint32_t sum_change;     /**< Internet sum of the new addresses and ports less that of the
				  old ones, folded to 16 bits */
	uint32_t from[4];        /**< our own address, of the peer */
	uint32_t to[4];          /**< the peer's party's */
	SHARED_U64 hop_until_ns; /**< the program's: mac_to is looked up again after that */

	/* The line of its next hop. */
	uint32_t hop[4] STW_ALIGNED_LINE; /**< address of the next hop, of the family of `to` */
	uint32_t hop_ifindex; /**< interface on which the hop is looked up (of a VLAN) */
} STW_ALIGNED_LINE;
_Static_assert(sizeof(struct kernel_row) == 3 * STW_CACHE_LINE, "two lines a packet, one a second");

/** Legs by UDP port, as the workers find them (plane_address.legs): BPF maps have no words of 4 bytes. */
#define KERNEL_ENTRIES_A_LINE 16

struct kernel_entries {
	SHARED_U32 entry[KERNEL_ENTRIES_A_LINE];
};

/** One receive queue with a worker's socket. */
struct kernel_queue {
	SHARED_U64 steered;                  /**< the program's: packets given to the socket */
	SHARED_U64 handled STW_ALIGNED_LINE; /**< the worker's: of those, finished */
} STW_ALIGNED_LINE;
_Static_assert(sizeof(struct kernel_queue) == 2 * STW_CACHE_LINE, "a writer each");

/** Number of queues: of each port one for each worker, port * KERNEL_QUEUES_A_PORT + worker. */
#define KERNEL_QUEUES_A_PORT 64
#define KERNEL_QUEUES        (16 * KERNEL_QUEUES_A_PORT)

#define KERNEL_TICKET_QUEUE_SHIFT 48
#define KERNEL_TICKET_COUNT       ((UINT64_C(1) << KERNEL_TICKET_QUEUE_SHIFT) - 1)

/** Counters of the program, one set for each CPU. */
enum kernel_count {
	KERNEL_COUNT_RELAYED, /**< RTP sent on */
	KERNEL_COUNT_FOREIGN, /**< dropped: another source than the leg's */
	KERNEL_COUNT_RATE,    /**< dropped: above the leg's share */
	KERNEL_COUNT_NO_BUFFER, /**< dropped: no room in front of the packet, or it cannot be trimmed */
	KERNEL_COUNT_LEFT,      /**< legs left to the worker by the program */
	KERNEL_COUNT_WAITED, /**< packets steered though their leg is the kernel's: a worker has
				     packets of it yet */
	KERNEL_COUNTS,
};

/** How long a looked-up link address is good, nanoseconds. */
#define KERNEL_HOP_NS UINT64_C(1000000000)

#endif

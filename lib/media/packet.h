/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One received packet on its way through the stages, and what waits to be sent.
 */
#ifndef STW_MEDIA_PACKET_H
#define STW_MEDIA_PACKET_H

#include <stdint.h>

#include <rte_mbuf.h>

#include <strowger/rtp.h>
#include <strowger/verdict.h>

#include "base/base.h"

/** Most packets of one burst. */
#define PACKET_BURST 64

/** Verdict of a packet that is still on its way. */
#define PACKET_PENDING STW_VERDICT_COUNT

/** What a packet is. */
enum packet_kind {
	PACKET_UDP,  /**< to an owned port; not looked into yet */
	PACKET_RTP,  /**< rtp is filled */
	PACKET_RTCP, /**< whole compound */
	PACKET_ARP,  /**< on a port whose ARP is ours */
	PACKET_ICMP, /**< to an owned address, on such a port */
	PACKET_ICMP6, /**< to an owned address or a multicast address that it listens to, on such a port */
};

/** What a later stage has to do with a packet. */
enum packet_mark {
	PACKET_LEARN = 1 << 0, /**< guard: its source is latched when it is found authentic */
};

/** A received packet. Fields are filled by the stage named. */
struct packet {
	struct rte_mbuf *mbuf; /**< receive; one segment, nobody else's */
	uint64_t
		source; /**< parse, of PACKET_UDP: as a remote word, not latched, without version */
	struct stw_rtp_header rtp; /**< lookup, of PACKET_RTP */
	uint32_t leg;              /**< lookup */
	uint32_t peer;             /**< guard: leg to relay to; 0: nobody */
	uint32_t fork_first;       /**< guard: first fork that copies it; 0: none */
	uint16_t udp_port;         /**< parse: destination, host order */
	uint16_t udp_offset; /**< parse: of the UDP header in the frame; ICMP: of its header */
	uint16_t
		ip_offset; /**< parse: of the IP header in the frame; IPv6: UDP follows it at once */
	uint16_t payload_bytes; /**< parse: what UDP or ICMP carries */
	uint8_t verdict;        /**< enum stw_verdict; PACKET_PENDING until there is one */
	uint8_t kind;           /**< enum packet_kind */
	uint8_t address;        /**< parse: index of the local address */
	uint8_t event;          /**< guard: 1: RTP with a telephone event */
	uint8_t sent;           /**< 1: the buffer lies in a send queue */
	uint8_t marks;          /**< bits of enum packet_mark */
	uint16_t features;      /**< guard: bits of enum leg_feature of the leg */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct packet) == STW_CACHE_LINE, "a burst stays in the first cache");

/** What a packet in a send queue is: told apart only when the device refuses it. */
enum send_kind {
	SEND_RECEIVED,  /**< a received packet with a PASS verdict: `verdict` and `leg` say whose */
	SEND_PLAYED,    /**< of a playout; `leg` listens */
	SEND_MIXED,     /**< of a mix; `leg` is the input of who hears it */
	SEND_OWN,       /**< a question or announcement of our own */
	SEND_FORKED,    /**< a copy of a fork; `leg` is the fork's slot, `verdict` the side */
	SEND_REPORTED,  /**< an RTCP report of our own; `leg` gets it */
	SEND_EXCEPTION, /**< a frame of the kernel's */
};

struct send_note {
	uint32_t leg;    /**< RTP: whose `relayed` counts it; else see enum send_kind */
	uint8_t kind;    /**< enum send_kind */
	uint8_t verdict; /**< of SEND_RECEIVED; of SEND_FORKED: whose side */
};

/** Most copies of one burst that go to the network; more are dropped and counted. */
#define SEND_COPIES_MAX (8 * PACKET_BURST)

/** Most packets in a send queue: a burst, a question for each of it, and its copies. */
#define SEND_MAX (2 * PACKET_BURST + SEND_COPIES_MAX)

/** Packets of one worker that wait for one port. */
struct send_queue {
	uint32_t count;
	struct rte_mbuf *mbufs[SEND_MAX];
	struct send_note notes[SEND_MAX];
};

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of IPv6 neighbour discovery: their layout, and how one is made.
 *
 * Source: RFC 4861 4.3, 4.4, 4.6.1; RFC 2464 7 (link addresses of multicast addresses).
 */
#ifndef STW_IO_ND_H
#define STW_IO_ND_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "media/ip6.h"

#define ND_LISTENER_QUERY  130
#define ND_SOLICITATION    135
#define ND_ADVERTISEMENT   136
#define ND_LISTENER_REPORT 143

#define ND_OPTION_SOURCE 1
#define ND_OPTION_TARGET 2

/** Flags of an advertisement. */
#define ND_SOLICITED RTE_BE32(UINT32_C(1) << 30)
#define ND_OVERRIDE  RTE_BE32(UINT32_C(1) << 29)

/** Hop limit that shows that no router has passed a message on. */
#define ND_HOP_LIMIT 255

/** A solicitation or an advertisement. */
struct nd_message {
	uint8_t type;
	uint8_t code;
	rte_be16_t checksum;
	rte_be32_t flags; /**< of advertisements */
	struct ip6 target;
} __rte_packed;
static_assert(sizeof(struct nd_message) == 24, "as on the wire");

/** A link address option of Ethernet. */
struct nd_link {
	uint8_t type;
	uint8_t length; /**< in units of 8 bytes */
	struct rte_ether_addr mac;
};
static_assert(sizeof(struct nd_link) == 8, "as on the wire");

/** What goes into a message. */
struct nd_note {
	uint8_t type;                  /**< ND_SOLICITATION or ND_ADVERTISEMENT */
	uint16_t vlan;                 /**< 0: no tag */
	rte_be32_t flags;              /**< ND_ bits of an advertisement */
	struct ip6 from;               /**< source address */
	struct ip6 to;                 /**< destination address */
	struct ip6 target;             /**< address that it is about */
	struct rte_ether_addr mac;     /**< destination link address */
	struct rte_ether_addr own_mac; /**< source link address; it is in the option, too */
};

/** ff02::1. */
struct ip6 nd_all_nodes(void);

/** The multicast address at which the host of an address is asked. Source: RFC 4291 2.7.1. */
struct ip6 nd_solicited_node(const struct ip6 *ip);

/** Link address of a multicast address. */
struct rte_ether_addr nd_multicast_mac(const struct ip6 *ip);

/**
 * Make a report that an address's solicited-node group is listened to, in a buffer. It comes from the
 * unspecified address, as we have none of the link's own; switches that snoop go by it all the same.
 *
 * @param note  own_mac, vlan, target: the address
 * @return false when the buffer has no room
 *
 * Threads: whoever has the buffer. Progress: wait-free (bound 1).
 *
 * Source: RFC 3810 5.2, 5.2.13; RFC 2711 (router alert); RFC 4862 5.4.2.
 */
bool nd_report_write(struct rte_mbuf *mbuf, const struct nd_note *note);

/** Checksum's sum of an ICMPv6 message with its pseudo header; 0xffff when it is right. */
uint16_t nd_sum(const struct rte_ipv6_hdr *ip, const void *message, uint16_t bytes);

/**
 * Make a message in a buffer, instead of what is in it.
 *
 * @return false when it has no room
 *
 * Threads: whoever has the buffer. Progress: wait-free (bound 1).
 */
bool nd_write(struct rte_mbuf *mbuf, const struct nd_note *note);

#endif

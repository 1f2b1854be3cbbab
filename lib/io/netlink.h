/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The few rtnetlink messages that a relay needs: which next hop has this address, what is its link
 * address, please find out. Making and reading messages are pure functions.
 */
#ifndef STW_IO_NETLINK_H
#define STW_IO_NETLINK_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

#include <strowger/address.h>

/** Bytes of the longest request. */
#define NETLINK_REQUEST_BYTES 128

/** A request under way. */
struct netlink_request {
	union {
		struct nlmsghdr header;
		uint8_t bytes[NETLINK_REQUEST_BYTES];
	};
};

/** What the kernel would do with a packet. */
struct netlink_route {
	int ifindex;           /**< interface that it leaves by */
	struct stw_ip gateway; /**< next hop; family 0: the address itself is the next hop */
};

/** What the kernel knows of a next hop. */
struct netlink_neighbour {
	uint16_t state;            /**< NUD_ bits of linux/neighbour.h */
	struct rte_ether_addr mac; /**< zeros: not known */
};

/** Ask how to reach an address through an interface; matched: only by a route that is there. */
void netlink_route_make(struct netlink_request *request, const struct stw_ip *remote, int ifindex,
			int matched);

/** Ask for a neighbour's entry. */
void netlink_neighbour_make(struct netlink_request *request, const struct stw_ip *next_hop,
			    int ifindex);

/** Ask the kernel to use a neighbour: resolve it, or check it when it is old. */
void netlink_use_make(struct netlink_request *request, const struct stw_ip *next_hop, int ifindex);

/**
 * Read the answer to netlink_route_make.
 *
 * @return 0
 * @return -ENOENT  not a route to another host
 * @return -EIO     not such an answer
 */
int netlink_route_read(const void *answer, size_t bytes, struct netlink_route *route);

/**
 * Read the answer to netlink_neighbour_make.
 *
 * @return 0
 * @return -EIO  not such an answer
 */
int netlink_neighbour_read(const void *answer, size_t bytes, struct netlink_neighbour *neighbour);

/**
 * Send a request and take its answer.
 *
 * @param request  borrowed; gets its sequence number
 * @param answer   filled; aligned as struct nlmsghdr
 * @param room     bytes of answer
 * @return bytes of the answer; 0 for a mere acknowledgement
 * @return negative errno as the kernel gives it; -EIO when nothing came for 200 ms
 *
 * Threads:  any.
 * Progress: blocking (waits for the kernel, at most 200 ms).
 * Order:    none.
 */
int netlink_ask(struct netlink_request *request, void *answer, size_t room);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rtnetlink messages about routes and neighbours. Source: Linux, rtnetlink(7) and linux/rtnetlink.h.
 */
#include "netlink.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/base.h"

#define ANSWER_WAIT_US 200000
#define ANSWERS_MAX    8 /* that may come before ours */

static size_t
address_bytes(const struct stw_ip *ip)
{
	return ip->family == 6 ? 16 : 4;
}

static uint8_t
address_family(const struct stw_ip *ip)
{
	return ip->family == 6 ? AF_INET6 : AF_INET;
}

static void
begin(struct netlink_request *request, uint16_t type, uint16_t flags, size_t body_bytes)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_len = NLMSG_LENGTH(body_bytes);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
}

static void
add_attribute(struct netlink_request *request, uint16_t type, const void *value, size_t bytes)
{
	size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
	struct rtattr attribute = {.rta_type = type};
	uint8_t *to = (uint8_t *)request + at;

	STW_ASSERT(at + RTA_SPACE(bytes) <= sizeof(request->bytes));
	attribute.rta_len = (unsigned short)RTA_LENGTH(bytes);
	memcpy(to, &attribute, sizeof(attribute));
	memcpy(to + RTA_LENGTH(0), value, bytes);
	request->header.nlmsg_len = (uint32_t)(at + RTA_SPACE(bytes));
}

void
netlink_route_make(struct netlink_request *request, const struct stw_ip *remote, int ifindex,
		   int matched)
{
	struct rtmsg *route;
	uint32_t interface = (uint32_t)ifindex;

	begin(request, RTM_GETROUTE, 0, sizeof(*route));
	route = NLMSG_DATA(&request->header);
	route->rtm_family = address_family(remote);
	route->rtm_dst_len = (uint8_t)(8 * address_bytes(remote));
	route->rtm_flags = matched ? RTM_F_FIB_MATCH : 0;
	add_attribute(request, RTA_DST, remote->bytes, address_bytes(remote));
	add_attribute(request, RTA_OIF, &interface, sizeof(interface));
}

static void
make_neighbour(struct netlink_request *request, uint16_t type, uint16_t flags,
	       const struct stw_ip *next_hop, int ifindex)
{
	struct ndmsg *neighbour;

	begin(request, type, flags, sizeof(*neighbour));
	neighbour = NLMSG_DATA(&request->header);
	neighbour->ndm_family = address_family(next_hop);
	neighbour->ndm_ifindex = ifindex;
	add_attribute(request, NDA_DST, next_hop->bytes, address_bytes(next_hop));
}

void
netlink_neighbour_make(struct netlink_request *request, const struct stw_ip *next_hop, int ifindex)
{
	make_neighbour(request, RTM_GETNEIGH, 0, next_hop, ifindex);
}

void
netlink_use_make(struct netlink_request *request, const struct stw_ip *next_hop, int ifindex)
{
	struct ndmsg *neighbour;

	make_neighbour(request, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, next_hop, ifindex);
	neighbour = NLMSG_DATA(&request->header);
	neighbour->ndm_flags = NTF_USE;
}

/* The message's fixed part, when it is of that type and complete; NULL otherwise. */
static const void *
body_of(const void *answer, size_t bytes, uint16_t type, size_t body_bytes)
{
	const struct nlmsghdr *header = answer;

	if (bytes < sizeof(*header) || header->nlmsg_type != type || header->nlmsg_len > bytes ||
	    header->nlmsg_len < NLMSG_LENGTH(body_bytes))
		return NULL;
	return (const uint8_t *)answer + NLMSG_HDRLEN;
}

/* The value of an attribute of exactly that length; NULL without one. */
static const void *
attribute_of(const void *answer, size_t body_bytes, uint16_t type, size_t value_bytes)
{
	const struct nlmsghdr *header = answer;
	size_t at = NLMSG_SPACE(body_bytes);

	while (at + sizeof(struct rtattr) <= header->nlmsg_len) {
		const struct rtattr *attribute =
			(const struct rtattr *)((const uint8_t *)answer + at);

		if (attribute->rta_len < sizeof(*attribute) ||
		    attribute->rta_len > header->nlmsg_len - at)
			return NULL;
		if ((attribute->rta_type & NLA_TYPE_MASK) == type)
			return attribute->rta_len == RTA_LENGTH(value_bytes)
				       ? (const uint8_t *)attribute + RTA_LENGTH(0)
				       : NULL;
		at += RTA_ALIGN(attribute->rta_len);
	}
	return NULL;
}

int
netlink_route_read(const void *answer, size_t bytes, struct netlink_route *route)
{
	const struct rtmsg *body = body_of(answer, bytes, RTM_NEWROUTE, sizeof(*body));
	const void *interface;
	const void *gateway;
	size_t gateway_bytes;

	if (!body || (body->rtm_family != AF_INET && body->rtm_family != AF_INET6))
		return -EIO;
	if (body->rtm_type != RTN_UNICAST)
		return -ENOENT;
	interface = attribute_of(answer, sizeof(*body), RTA_OIF, sizeof(uint32_t));
	if (!interface)
		return -EIO;
	memset(route, 0, sizeof(*route));
	memcpy(&route->ifindex, interface, sizeof(uint32_t));
	gateway_bytes = body->rtm_family == AF_INET6 ? 16 : 4;
	gateway = attribute_of(answer, sizeof(*body), RTA_GATEWAY, gateway_bytes);
	if (gateway) {
		route->gateway.family = body->rtm_family == AF_INET6 ? 6 : 4;
		memcpy(route->gateway.bytes, gateway, gateway_bytes);
	}
	return 0;
}

int
netlink_neighbour_read(const void *answer, size_t bytes, struct netlink_neighbour *neighbour)
{
	const struct ndmsg *body = body_of(answer, bytes, RTM_NEWNEIGH, sizeof(*body));
	const void *mac;

	if (!body)
		return -EIO;
	memset(neighbour, 0, sizeof(*neighbour));
	neighbour->state = body->ndm_state;
	mac = attribute_of(answer, sizeof(*body), NDA_LLADDR, sizeof(neighbour->mac));
	if (mac)
		memcpy(&neighbour->mac, mac, sizeof(neighbour->mac));
	return 0;
}

/* Of an answer: its bytes, 0 for an acknowledgement, the kernel's error, or -EAGAIN if not ours. */
static int
judge(const struct nlmsghdr *header, size_t bytes, uint32_t sequence)
{
	const struct nlmsgerr *error;

	if (bytes < sizeof(*header) || header->nlmsg_len > bytes)
		return -EIO;
	if (header->nlmsg_seq != sequence)
		return -EAGAIN;
	if (header->nlmsg_type != NLMSG_ERROR)
		return (int)bytes;
	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*error)))
		return -EIO;
	error = NLMSG_DATA(header);
	return error->error;
}

int
netlink_ask(struct netlink_request *request, void *answer, size_t room)
{
	static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	const struct timeval wait = {.tv_usec = ANSWER_WAIT_US};
	int result = -EAGAIN;
	int tries;
	int fd;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	request->header.nlmsg_seq = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    sendto(fd, request, request->header.nlmsg_len, 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		result = -errno;
	for (tries = 0; tries < ANSWERS_MAX && result == -EAGAIN; tries++) {
		ssize_t bytes = recv(fd, answer, room, 0);

		if (bytes < 0)
			break;
		result = judge(answer, (size_t)bytes, request->header.nlmsg_seq);
	}
	close(fd);
	return result == -EAGAIN ? -EIO : result;
}

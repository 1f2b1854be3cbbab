/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Next hops by the kernel's tables: a route that is really there, its gateway, the gateway's entry.
 */
#include "neighbour.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "base/base.h"
#include "netlink.h"

#define ANSWER_BYTES 4096

/* Entries whose link address may be used; those of the others are unknown or known to be wrong. */
#define STATES_USABLE                                                                              \
	(NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP)

/* Entries that the kernel drops when nobody uses them. */
#define STATES_AGEING (NUD_STALE | NUD_DELAY | NUD_PROBE)

union answer {
	struct nlmsghdr header;
	uint8_t bytes[ANSWER_BYTES];
};

static int find_next_hop(int ifindex, const struct stw_ip *remote, struct stw_ip *next_hop);
static int use(int ifindex, const struct stw_ip *next_hop);

int
neighbour_find(int ifindex, const struct stw_ip *remote, struct rte_ether_addr *mac)
{
	struct netlink_neighbour neighbour;
	struct netlink_request request;
	struct stw_ip next_hop;
	union answer answer;
	int result;

	if (ifindex <= 0 || (remote->family != 4 && remote->family != 6))
		return -EINVAL;
	result = find_next_hop(ifindex, remote, &next_hop);
	if (result)
		return result;
	netlink_neighbour_make(&request, &next_hop, ifindex);
	result = netlink_ask(&request, &answer, sizeof(answer));
	if (result == -ENOENT)
		return use(ifindex, &next_hop);
	if (result <= 0)
		return -EIO;
	result = netlink_neighbour_read(&answer, (size_t)result, &neighbour);
	if (result)
		return result;
	if (!(neighbour.state & STATES_USABLE) || rte_is_zero_ether_addr(&neighbour.mac))
		return use(ifindex, &next_hop);
	if (neighbour.state & STATES_AGEING)
		use(ifindex, &next_hop);
	*mac = neighbour.mac;
	return 0;
}

/*
 * With an interface given, the kernel takes an address without a route to be on the link. So the
 * first question is for a route that matches, the second for what it leads to.
 */
static int
find_next_hop(int ifindex, const struct stw_ip *remote, struct stw_ip *next_hop)
{
	struct netlink_request request;
	struct netlink_route route;
	union answer answer;
	int result;

	netlink_route_make(&request, remote, ifindex, 1);
	result = netlink_ask(&request, &answer, sizeof(answer));
	if (result > 0) {
		netlink_route_make(&request, remote, ifindex, 0);
		result = netlink_ask(&request, &answer, sizeof(answer));
	}
	if (result == -ENODEV)
		return -EINVAL;
	if (result == 0 || result == -EIO)
		return -EIO;
	if (result < 0)
		return -ENOENT;
	result = netlink_route_read(&answer, (size_t)result, &route);
	if (result)
		return result;
	if (route.ifindex != ifindex)
		return -ENOENT;
	*next_hop = route.gateway.family ? route.gateway : *remote;
	return 0;
}

/* Always negative: there is no link address yet. */
static int
use(int ifindex, const struct stw_ip *next_hop)
{
	struct netlink_request request;
	union answer answer;
	int result;

	netlink_use_make(&request, next_hop, ifindex);
	result = netlink_ask(&request, &answer, sizeof(answer));
	if (result == -EPERM || result == -EIO)
		return result;
	return result ? -ENOENT : -EAGAIN;
}

static bool
is_address(const struct sockaddr *address, const struct stw_ip *ip)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;

	if (!address || address->sa_family != (ip->family == 6 ? AF_INET6 : AF_INET))
		return false;
	if (ip->family == 6)
		return memcmp(&v6->sin6_addr, ip->bytes, sizeof(v6->sin6_addr)) == 0;
	return memcmp(&v4->sin_addr, ip->bytes, sizeof(v4->sin_addr)) == 0;
}

int
neighbour_interface(const struct stw_ip *ip, const char *name)
{
	char text[STW_ADDRESS_TEXT_BYTES];
	struct ifaddrs *addresses;
	unsigned found = 0;

	if (getifaddrs(&addresses) == 0) {
		for (const struct ifaddrs *i = addresses; i && !found; i = i->ifa_next) {
			if (is_address(i->ifa_addr, ip))
				found = if_nametoindex(i->ifa_name);
		}
		freeifaddrs(addresses);
	}
	if (!found)
		stw_log(STW_LOG_WARN, "PORT-NO-INTERFACE port=%s ip=%s", name,
			stw_ip_text(ip, text));
	return (int)found;
}

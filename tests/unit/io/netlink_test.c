/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "io/neighbour.h"
#include "io/netlink.h"

static const uint8_t gateway_bytes[4] = {192, 0, 2, 1};
static const uint8_t mac_bytes[6] = {2, 0, 0, 0, 0, 7};

static union {
	struct nlmsghdr header;
	uint8_t bytes[512];
} message;

static void
begin(uint16_t type, size_t body_bytes)
{
	memset(&message, 0, sizeof(message));
	message.header.nlmsg_len = NLMSG_LENGTH(body_bytes);
	message.header.nlmsg_type = type;
}

static struct rtattr *
add(uint16_t type, const void *value, size_t bytes)
{
	struct rtattr *attribute = (void *)(message.bytes + NLMSG_ALIGN(message.header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = RTA_LENGTH(bytes);
	memcpy(RTA_DATA(attribute), value, bytes);
	message.header.nlmsg_len = NLMSG_ALIGN(message.header.nlmsg_len) + RTA_SPACE(bytes);
	return attribute;
}

static void
make_route(uint8_t type, uint32_t ifindex)
{
	struct rtmsg *route = NLMSG_DATA(&message.header);

	begin(RTM_NEWROUTE, sizeof(*route));
	route->rtm_family = AF_INET;
	route->rtm_type = type;
	add(RTA_OIF, &ifindex, sizeof(ifindex));
}

static int
read_route(struct netlink_route *route)
{
	return netlink_route_read(&message, message.header.nlmsg_len, route);
}

Test(netlink, route_on_the_link_has_no_gateway)
{
	struct netlink_route route;

	make_route(RTN_UNICAST, 7);
	cr_assert_eq(read_route(&route), 0);
	cr_assert_eq(route.ifindex, 7);
	cr_assert_eq(route.gateway.family, 0);
}

Test(netlink, route_through_a_gateway_names_it)
{
	struct netlink_route route;

	make_route(RTN_UNICAST, 7);
	add(RTA_GATEWAY, gateway_bytes, 4);
	cr_assert_eq(read_route(&route), 0);
	cr_assert_eq(route.gateway.family, 4);
	cr_assert_arr_eq(route.gateway.bytes, gateway_bytes, 4);
}

Test(netlink, route_to_ourselves_or_to_all_is_none)
{
	static const uint8_t types[] = {RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST, RTN_UNREACHABLE};
	struct netlink_route route;
	size_t i;

	for (i = 0; i < sizeof(types); i++) {
		make_route(types[i], 7);
		cr_assert_eq(read_route(&route), -ENOENT);
	}
}

Test(netlink, cut_answer_is_refused_at_every_length)
{
	struct netlink_route route = {0};
	struct netlink_neighbour neighbour;
	size_t bytes;

	make_route(RTN_UNICAST, 7);
	for (bytes = 0; bytes < message.header.nlmsg_len; bytes++) {
		cr_assert_eq(netlink_route_read(&message, bytes, &route), -EIO);
		cr_assert_eq(netlink_neighbour_read(&message, bytes, &neighbour), -EIO);
	}
	cr_assert_eq(route.ifindex, 0);
}

Test(netlink, attribute_with_a_wrong_length_is_refused)
{
	struct netlink_route route;
	uint64_t wide = 7;

	begin(RTM_NEWROUTE, sizeof(struct rtmsg));
	((struct rtmsg *)NLMSG_DATA(&message.header))->rtm_family = AF_INET;
	((struct rtmsg *)NLMSG_DATA(&message.header))->rtm_type = RTN_UNICAST;
	add(RTA_OIF, &wide, sizeof(wide));
	cr_assert_eq(read_route(&route), -EIO);
	make_route(RTN_UNICAST, 7);
	add(RTA_PRIORITY, gateway_bytes, 4)->rta_len = 0;
	add(RTA_GATEWAY, gateway_bytes, 4);
	cr_assert_eq(read_route(&route), 0);
	cr_assert_eq(route.gateway.family, 0);
	make_route(RTN_UNICAST, 7);
	add(RTA_GATEWAY, gateway_bytes, 4)->rta_len = 4000;
	cr_assert_eq(read_route(&route), 0);
	cr_assert_eq(route.gateway.family, 0);
}

Test(netlink, neighbour_has_state_and_link_address)
{
	struct netlink_neighbour neighbour;

	begin(RTM_NEWNEIGH, sizeof(struct ndmsg));
	((struct ndmsg *)NLMSG_DATA(&message.header))->ndm_state = NUD_STALE;
	add(NDA_DST, gateway_bytes, 4);
	add(NDA_LLADDR, mac_bytes, 6);
	cr_assert_eq(netlink_neighbour_read(&message, message.header.nlmsg_len, &neighbour), 0);
	cr_assert_eq(neighbour.state, NUD_STALE);
	cr_assert_arr_eq(neighbour.mac.addr_bytes, mac_bytes, 6);
}

Test(netlink, neighbour_without_link_address_has_zeros)
{
	struct netlink_neighbour neighbour;

	begin(RTM_NEWNEIGH, sizeof(struct ndmsg));
	((struct ndmsg *)NLMSG_DATA(&message.header))->ndm_state = NUD_INCOMPLETE;
	cr_assert_eq(netlink_neighbour_read(&message, message.header.nlmsg_len, &neighbour), 0);
	cr_assert(rte_is_zero_ether_addr(&neighbour.mac));
}

Test(neighbour, nobody_is_reached_through_the_loop_back)
{
	struct rte_ether_addr mac;
	struct stw_ip ip;

	cr_assert_eq(stw_ip_parse("127.0.0.1", &ip), 0);
	cr_assert_eq(neighbour_find(1, &ip, &mac), -ENOENT);
	cr_assert_eq(stw_ip_parse("192.0.2.1", &ip), 0);
	cr_assert_eq(neighbour_find(1, &ip, &mac), -ENOENT);
}

Test(neighbour, no_address_and_no_interface_are_refused)
{
	struct rte_ether_addr mac;
	struct stw_ip ip = {0};

	cr_assert_eq(neighbour_find(1, &ip, &mac), -EINVAL);
	cr_assert_eq(stw_ip_parse("192.0.2.1", &ip), 0);
	cr_assert_eq(neighbour_find(0, &ip, &mac), -EINVAL);
	cr_assert_eq(neighbour_find(1 << 30, &ip, &mac), -EINVAL);
}

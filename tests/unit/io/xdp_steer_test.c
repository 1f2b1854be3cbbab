/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets run through the steering program by the kernel (BPF_PROG_TEST_RUN). No socket is there, so
 * what would be steered is dropped as unserved.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "io/steer_ranges.h"
#include "xdp_steer.skel.h"

#define HEADERS_BYTES 42 /* Ethernet, IPv4 without options, UDP */
#define FRAME_BYTES   214

struct frame {
	size_t length;
	uint8_t gap[2]; /* aligns the IP header */
	uint8_t bytes[254];
};

static struct xdp_steer_bpf *program;
static struct stw_ip owned_ip, owned_ip6;
static struct steer_maps maps;

static int
silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return 0;
}

static void
load(void)
{
	if (geteuid() != 0)
		cr_skip_test("BPF programs need root");
	libbpf_set_print(silent);
	program = xdp_steer_bpf__open_and_load();
	if (!program && errno == EPERM)
		cr_skip_test("BPF programs may not be loaded here");
	cr_assert_not_null(program);
	cr_assert_eq(stw_ip_parse("192.0.2.1", &owned_ip), 0);
	maps.owned = bpf_map__fd(program->maps.owned);
	maps.owned6 = bpf_map__fd(program->maps.owned6);
	cr_assert_eq(steer_map_own(&maps, &owned_ip, 0, 20000, 20099), 0);
	cr_assert_eq(stw_ip_parse("2001:db8::1", &owned_ip6), 0);
	cr_assert_eq(steer_map_own(&maps, &owned_ip6, 0, 20000, 20099), 0);
}

static void
unload(void)
{
	xdp_steer_bpf__destroy(program);
}

TestSuite(xdp_steer, .init = load, .fini = unload);

static struct iphdr *
ip_of(struct frame *frame)
{
	return (struct iphdr *)(frame->bytes + ETH_HLEN);
}

static struct frame
datagram(const char *address, uint16_t port)
{
	struct frame frame = {.length = FRAME_BYTES};
	struct ethhdr *eth = (struct ethhdr *)frame.bytes;
	struct iphdr *ip = ip_of(&frame);
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	eth->h_proto = htons(ETH_P_IP);
	ip->version = 4;
	ip->ihl = 5;
	ip->protocol = IPPROTO_UDP;
	ip->tot_len = htons(FRAME_BYTES - ETH_HLEN);
	inet_pton(AF_INET, address, &ip->daddr);
	inet_pton(AF_INET, "192.0.2.9", &ip->saddr);
	udp->dest = htons(port);
	return frame;
}

static struct frame
datagram6(const char *address, uint16_t port)
{
	struct frame frame = {.length = FRAME_BYTES};
	struct ethhdr *eth = (struct ethhdr *)frame.bytes;
	struct ip6_hdr *ip = (struct ip6_hdr *)(eth + 1);
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	eth->h_proto = htons(ETH_P_IPV6);
	ip->ip6_vfc = 0x60;
	ip->ip6_nxt = IPPROTO_UDP;
	ip->ip6_plen = htons(FRAME_BYTES - ETH_HLEN - sizeof(*ip));
	inet_pton(AF_INET6, address, &ip->ip6_dst);
	inet_pton(AF_INET6, "2001:db8::9", &ip->ip6_src);
	udp->dest = htons(port);
	return frame;
}

/* Put a tag into a frame. */
static void
tag(struct frame *frame, uint16_t type, uint16_t control)
{
	memmove(frame->bytes + 16, frame->bytes + 12, frame->length - 12);
	frame->bytes[12] = (uint8_t)(type >> 8);
	frame->bytes[13] = (uint8_t)type;
	frame->bytes[14] = (uint8_t)(control >> 8);
	frame->bytes[15] = (uint8_t)control;
	frame->length += 4;
}

/* Put an extension header of 8 bytes in front of what follows the IPv6 header. */
static void
extend(struct frame *frame, uint8_t type)
{
	struct ip6_hdr *ip = (struct ip6_hdr *)(frame->bytes + ETH_HLEN);
	uint8_t *after = (uint8_t *)(ip + 1);

	memmove(after + 8, after, frame->length - ETH_HLEN - sizeof(*ip));
	memset(after, 0, 8);
	after[0] = ip->ip6_nxt;
	ip->ip6_nxt = type;
	frame->length += 8;
}

static uint32_t
run(struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = (uint32_t)frame->length);

	cr_assert_eq(bpf_prog_test_run_opts(bpf_program__fd(program->progs.xsk_def_prog), &options),
		     0);
	return options.retval;
}

static uint64_t
counted(uint32_t key)
{
	uint64_t each[256] = {0};
	uint64_t sum = 0;
	size_t i;

	cr_assert_leq(libbpf_num_possible_cpus(), 256);
	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(program->maps.counts), &key, each), 0);
	for (i = 0; i < 256; i++)
		sum += each[i];
	return sum;
}

Test(xdp_steer, owned_ports_are_ours_from_the_first_to_the_last)
{
	static const struct {
		uint16_t port;
		uint32_t action;
	} cases[] = {
		{19999, XDP_PASS}, {20000, XDP_DROP}, {20050, XDP_DROP}, {20099, XDP_DROP},
		{20100, XDP_PASS}, {5060, XDP_PASS},  {0, XDP_PASS},     {65535, XDP_PASS},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame frame = datagram("192.0.2.1", cases[i].port);

		cr_assert_eq(run(&frame), cases[i].action, "port %u", cases[i].port);
	}
	cr_assert_eq(counted(STEER_COUNT_UNSERVED), 3);
	cr_assert_eq(counted(STEER_COUNT_PASSED), 5);
	cr_assert_eq(counted(STEER_COUNT_STEERED), 0);
}

Test(xdp_steer, other_addresses_are_the_kernels)
{
	struct frame frame = datagram("192.0.2.2", 20000);

	cr_assert_eq(run(&frame), XDP_PASS);
}

Test(xdp_steer, every_cut_frame_is_passed)
{
	struct frame frame = datagram("192.0.2.1", 20000);

	for (frame.length = ETH_HLEN; frame.length < HEADERS_BYTES; frame.length++)
		cr_assert_eq(run(&frame), XDP_PASS, "%zu bytes", frame.length);
	cr_assert_eq(run(&frame), XDP_DROP);
}

Test(xdp_steer, other_protocols_are_the_kernels)
{
	struct frame frame = datagram("192.0.2.1", 20000);
	struct ethhdr *eth = (struct ethhdr *)frame.bytes;

	ip_of(&frame)->protocol = IPPROTO_TCP;
	cr_assert_eq(run(&frame), XDP_PASS);
	ip_of(&frame)->protocol = IPPROTO_ICMP;
	cr_assert_eq(run(&frame), XDP_PASS);
	frame = datagram("192.0.2.1", 20000);
	eth->h_proto = htons(ETH_P_ARP);
	cr_assert_eq(run(&frame), XDP_PASS);
	eth->h_proto = htons(ETH_P_IPV6);
	cr_assert_eq(run(&frame), XDP_PASS);
	eth->h_proto = htons(ETH_P_8021Q);
	cr_assert_eq(run(&frame), XDP_PASS);
}

Test(xdp_steer, header_that_contradicts_itself_is_passed)
{
	struct frame frame = datagram("192.0.2.1", 20000);
	unsigned int words;

	for (words = 0; words < 5; words++) {
		ip_of(&frame)->ihl = words;
		cr_assert_eq(run(&frame), XDP_PASS, "%u words", words);
	}
	frame = datagram("192.0.2.1", 20000);
	ip_of(&frame)->version = 6;
	cr_assert_eq(run(&frame), XDP_PASS);
}

Test(xdp_steer, options_are_stepped_over)
{
	unsigned int words;

	for (words = 6; words <= 15; words++) {
		struct frame frame = datagram("192.0.2.1", 5060);
		struct udphdr *udp = (struct udphdr *)(frame.bytes + ETH_HLEN + 4 * words);

		ip_of(&frame)->ihl = words;
		udp->dest = htons(20000);
		cr_assert_eq(run(&frame), XDP_DROP, "%u words", words);
		udp->dest = htons(20100);
		cr_assert_eq(run(&frame), XDP_PASS, "%u words", words);
		udp->dest = htons(20000);
		frame.length = ETH_HLEN + 4 * words + sizeof(*udp) - 1;
		cr_assert_eq(run(&frame), XDP_PASS, "%u words, cut", words);
	}
}

Test(xdp_steer, fragments_are_passed_and_counted)
{
	static const uint16_t bits[] = {0x2000, 0x0001, 0x1fff, 0x2001};
	struct frame frame = datagram("192.0.2.1", 20000);
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		ip_of(&frame)->frag_off = htons(bits[i]);
		cr_assert_eq(run(&frame), XDP_PASS);
	}
	cr_assert_eq(counted(STEER_COUNT_FRAGMENTS), 4);
	cr_assert_eq(counted(STEER_COUNT_PASSED), 4);
	ip_of(&frame)->frag_off = htons(0x4000);
	cr_assert_eq(run(&frame), XDP_DROP, "do-not-fragment is no fragment");
}

Test(xdp_steer, all_ranges_of_an_address_are_looked_at)
{
	struct frame frame;
	uint16_t i;

	for (i = 1; i < STEER_RANGES_MAX; i++)
		cr_assert_eq(steer_map_own(&maps, &owned_ip, 0, 30000 + 100 * i, 30001 + 100 * i),
			     0);
	cr_assert_eq(steer_map_own(&maps, &owned_ip, 0, 40000, 40001), -ENOSPC);
	for (i = 1; i < STEER_RANGES_MAX; i++) {
		frame = datagram("192.0.2.1", 30001 + 100 * i);
		cr_assert_eq(run(&frame), XDP_DROP);
		frame = datagram("192.0.2.1", 30002 + 100 * i);
		cr_assert_eq(run(&frame), XDP_PASS);
	}
}

Test(xdp_steer, address_given_up_is_the_kernels_again)
{
	struct frame frame = datagram("192.0.2.1", 20000);

	cr_assert_eq(run(&frame), XDP_DROP);
	cr_assert_eq(steer_map_disown(&maps, &owned_ip, 0), 0);
	cr_assert_eq(run(&frame), XDP_PASS);
	cr_assert_eq(steer_map_disown(&maps, &owned_ip, 0), -ENOENT);
}

Test(xdp_steer, as_many_addresses_as_the_packet_plane_has)
{
	struct stw_ip ip = owned_ip;
	uint8_t i;

	for (i = 1; i < STEER_ADDRESSES_MAX; i++) {
		ip.bytes[3] = 100 + i;
		cr_assert_eq(steer_map_own(&maps, &ip, 0, 20000, 20001), 0);
	}
	ip.bytes[3] = 99;
	cr_assert_eq(steer_map_own(&maps, &ip, 0, 20000, 20001), -ENOSPC);
	ip.family = 5;
	cr_assert_eq(steer_map_own(&maps, &ip, 0, 20000, 20001), -EINVAL);
}

Test(xdp_steer, owned_ports_of_ipv6_are_ours_and_others_are_not)
{
	struct frame frame = datagram6("2001:db8::1", 20000);
	uint16_t port;

	cr_assert_eq(run(&frame), XDP_DROP);
	for (port = 19998; port < 20003; port++) {
		frame = datagram6("2001:db8::1", port);
		cr_assert_eq(run(&frame), port < 20000 ? XDP_PASS : XDP_DROP, "port %u", port);
	}
	frame = datagram6("2001:db8::1", 20100);
	cr_assert_eq(run(&frame), XDP_PASS);
	frame = datagram6("2001:db8::2", 20000);
	cr_assert_eq(run(&frame), XDP_PASS);
	frame = datagram6("2001:db8::1", 20000);
	frame.bytes[ETH_HLEN] = 0x40;
	cr_assert_eq(run(&frame), XDP_PASS, "no IPv6");
	frame = datagram6("2001:db8::1", 20000);
	for (frame.length = ETH_HLEN; frame.length < 62; frame.length++)
		cr_assert_eq(run(&frame), XDP_PASS, "%zu bytes", frame.length);
	cr_assert_eq(run(&frame), XDP_DROP);
}

Test(xdp_steer, extension_headers_are_stepped_over)
{
	static const uint8_t others[] = {IPPROTO_TCP, IPPROTO_ICMPV6, IPPROTO_ESP, IPPROTO_AH,
					 IPPROTO_NONE};
	struct frame frame = datagram6("2001:db8::1", 20000);
	size_t length;
	size_t i;

	for (i = 0; i < 3; i++) {
		static const uint8_t types[] = {IPPROTO_DSTOPTS, IPPROTO_ROUTING, IPPROTO_HOPOPTS};

		extend(&frame, types[i]);
		cr_assert_eq(run(&frame), XDP_DROP, "%zu headers", i + 1);
	}
	length = frame.length;
	for (frame.length = ETH_HLEN + 40; frame.length < 62 + 24; frame.length++)
		cr_assert_eq(run(&frame), XDP_PASS, "%zu bytes", frame.length);
	frame.length = length;
	extend(&frame, IPPROTO_FRAGMENT);
	cr_assert_eq(run(&frame), XDP_PASS);
	cr_assert_eq(counted(STEER_COUNT_FRAGMENTS), 1);
	frame = datagram6("2001:db8::1", 20000);
	frame.length = 100;
	for (i = 0; i < STEER_EXTENSIONS_MAX; i++)
		extend(&frame, IPPROTO_DSTOPTS);
	cr_assert_eq(run(&frame), XDP_DROP);
	extend(&frame, IPPROTO_DSTOPTS);
	cr_assert_eq(run(&frame), XDP_PASS, "too many");
	for (i = 0; i < sizeof(others); i++) {
		frame = datagram6("2001:db8::1", 20000);
		frame.bytes[ETH_HLEN + 6] = others[i];
		cr_assert_eq(run(&frame), XDP_PASS, "protocol %u", others[i]);
	}
}

Test(xdp_steer, address_is_owned_in_its_vlan_only)
{
	struct frame frame;
	int of_ipv6;

	for (of_ipv6 = 0; of_ipv6 < 2; of_ipv6++) {
		const struct stw_ip *ip = of_ipv6 ? &owned_ip6 : &owned_ip;
		struct frame plain =
			of_ipv6 ? datagram6("2001:db8::1", 30000) : datagram("192.0.2.1", 30000);

		cr_assert_eq(steer_map_own(&maps, ip, 7, 30000, 30099), 0);
		frame = plain;
		cr_assert_eq(run(&frame), XDP_PASS, "untagged");
		tag(&frame, ETH_P_8021Q, 0xa007);
		cr_assert_eq(run(&frame), XDP_DROP, "tagged, with a priority");
		frame = plain;
		tag(&frame, ETH_P_8021Q, 8);
		cr_assert_eq(run(&frame), XDP_PASS, "another VLAN");
		frame = plain;
		tag(&frame, ETH_P_8021AD, 7);
		cr_assert_eq(run(&frame), XDP_PASS, "a service tag");
		frame = plain;
		tag(&frame, ETH_P_8021Q, 7);
		tag(&frame, ETH_P_8021Q, 7);
		cr_assert_eq(run(&frame), XDP_PASS, "two tags");
		frame = of_ipv6 ? datagram6("2001:db8::1", 20000) : datagram("192.0.2.1", 20000);
		tag(&frame, ETH_P_8021Q, 0xe000);
		cr_assert_eq(run(&frame), XDP_DROP, "only a priority");
		cr_assert_eq(steer_map_disown(&maps, ip, 7), 0);
		frame = plain;
		tag(&frame, ETH_P_8021Q, 7);
		cr_assert_eq(run(&frame), XDP_PASS, "given up");
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opens one port on a kernel interface and sends every packet that the worker receives back to where
 * it came from. Speaks one line at a time with the test that runs it: "ready ..." when the port is
 * open; each word on stdin ("counts", "neighbour ADDRESS", "own ADDRESS VLAN FIRST LAST",
 * "disown [ADDRESS VLAN]", "reopen", "quit") is answered by a line.
 *
 *   echo xdp-native|xdp-generic|xdp-auto|af_packet INTERFACE ADDRESS FIRST LAST WORKERS
 *
 * The workers take turns on the one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>

#include <strowger/log.h>
#include <strowger/media.h>

#include "base/base.h"
#include "io/neighbour.h"
#include "io/port.h"

#define BURST       32
#define PACKETS_MAX 2048

struct echo {
	struct stw_port_config config;
	struct stw_ip ip;
	uint16_t udp_first;
	uint16_t udp_last;
	uint16_t workers;
	struct port port;
	uint64_t echoed[STW_MEDIA_WORKERS_MAX];
	uint64_t other;
};

static void
log_line(void *context, enum stw_log_level level, const char *line)
{
	fprintf(stderr, "%d %s\n", (int)level, line);
}

static const struct {
	const char *name;
	enum stw_port_kind kind;
	enum stw_xdp_mode mode;
} kinds[] = {
	{"xdp-native", STW_PORT_AF_XDP, STW_XDP_NATIVE},
	{"xdp-generic", STW_PORT_AF_XDP, STW_XDP_GENERIC},
	{"xdp-auto", STW_PORT_AF_XDP, STW_XDP_AUTO},
	{"af_packet", STW_PORT_AF_PACKET, STW_XDP_NONE},
};

static int
read_arguments(struct echo *echo, char **arguments)
{
	size_t i;

	for (i = 0; i < STW_ARRAY_COUNT(kinds); i++) {
		if (strcmp(arguments[1], kinds[i].name) == 0)
			break;
	}
	if (i == STW_ARRAY_COUNT(kinds))
		return -EINVAL;
	echo->config.kind = kinds[i].kind;
	echo->config.xdp_mode = kinds[i].mode;
	echo->config.device = arguments[2];
	echo->udp_first = (uint16_t)atoi(arguments[4]);
	echo->udp_last = (uint16_t)atoi(arguments[5]);
	echo->workers = (uint16_t)atoi(arguments[6]);
	return stw_ip_parse(arguments[3], &echo->ip);
}

static int
open_port(struct echo *echo)
{
	int error;

	error = port_open(&echo->port, &echo->config, echo->workers, PACKETS_MAX);
	if (error)
		return error;
	return port_own(&echo->port, &echo->ip, 0, echo->udp_first, echo->udp_last);
}

/* Swapping the ends of a datagram changes none of its checksums. */
static bool
turn_round(const struct echo *echo, struct rte_mbuf *packet)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(packet, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	struct rte_ether_addr mac = eth->src_addr;
	rte_be32_t address;
	rte_be16_t port;

	if (packet->data_len < sizeof(*eth) + sizeof(*ip) + sizeof(*udp) ||
	    eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
	    ip->next_proto_id != IPPROTO_UDP || memcmp(&ip->dst_addr, echo->ip.bytes, 4) != 0 ||
	    rte_be_to_cpu_16(udp->dst_port) < echo->udp_first ||
	    rte_be_to_cpu_16(udp->dst_port) > echo->udp_last)
		return false;
	eth->src_addr = eth->dst_addr;
	eth->dst_addr = mac;
	address = ip->src_addr;
	ip->src_addr = ip->dst_addr;
	ip->dst_addr = address;
	port = udp->src_port;
	udp->src_port = udp->dst_port;
	udp->dst_port = port;
	return true;
}

static void
turn(struct echo *echo, uint16_t worker)
{
	struct rte_mbuf *packets[BURST];
	uint16_t count = port_receive(&echo->port, worker, packets, BURST);
	uint16_t i;

	for (i = 0; i < count; i++) {
		if (!turn_round(echo, packets[i])) {
			echo->other++;
			rte_pktmbuf_free(packets[i]);
		} else if (port_send(&echo->port, worker, &packets[i], 1) == 1) {
			echo->echoed[worker]++;
		} else {
			rte_pktmbuf_free(packets[i]);
		}
	}
}

static void
answer_neighbour(const struct echo *echo, const char *text)
{
	struct rte_ether_addr mac = {0};
	char mac_text[RTE_ETHER_ADDR_FMT_SIZE];
	struct stw_ip ip;
	int result;

	result = stw_ip_parse(text, &ip);
	if (!result)
		result = neighbour_find(echo->port.ifindex, &ip, &mac);
	rte_ether_format_addr(mac_text, sizeof(mac_text), &mac);
	printf("neighbour %d %s\n", result, mac_text);
}

static void
answer_counts(const struct echo *echo)
{
	struct port_steer_counts counts;

	port_steer_counts(&echo->port, &counts);
	printf("counts %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	       " %" PRIu64 " %" PRIu64 "\n",
	       echo->echoed[0], echo->echoed[1], echo->other, counts.steered, counts.passed,
	       counts.unserved, counts.fragments, port_missed(&echo->port));
}

/* "ADDRESS VLAN FIRST LAST", without the ports to give it up. */
static int
own_or_disown(struct echo *echo, const char *text, bool own)
{
	unsigned int vlan, first = 0, last = 0;
	struct stw_ip ip;
	char address[64];

	if (sscanf(text, "%63s %u %u %u", address, &vlan, &first, &last) != (own ? 4 : 2) ||
	    stw_ip_parse(address, &ip) != 0)
		return -EINVAL;
	if (!own)
		return port_disown(&echo->port, &ip, (uint16_t)vlan);
	return port_own(&echo->port, &ip, (uint16_t)vlan, (uint16_t)first, (uint16_t)last);
}

/* False: no more. */
static bool
obey(struct echo *echo, char *word)
{
	int error;

	word[strcspn(word, "\n")] = '\0';
	if (strcmp(word, "counts") == 0) {
		answer_counts(echo);
	} else if (strncmp(word, "neighbour ", 10) == 0) {
		answer_neighbour(echo, word + 10);
	} else if (strcmp(word, "disown") == 0) {
		printf("disown %d\n", port_disown(&echo->port, &echo->ip, 0));
	} else if (strncmp(word, "own ", 4) == 0) {
		printf("own %d\n", own_or_disown(echo, word + 4, true));
	} else if (strncmp(word, "disown ", 7) == 0) {
		printf("disown %d\n", own_or_disown(echo, word + 7, false));
	} else if (strcmp(word, "link") == 0) {
		printf("link %d\n", port_link_is_up(&echo->port));
	} else if (strcmp(word, "reopen") == 0) {
		port_close(&echo->port);
		error = open_port(echo);
		printf("reopen %d\n", error);
		if (error)
			exit(1);
	} else {
		return false;
	}
	fflush(stdout);
	return true;
}

static void
serve(struct echo *echo)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char word[128];

	do {
		uint16_t worker;

		for (worker = 0; worker < echo->workers; worker++)
			turn(echo, worker);
		if (poll(&input, 1, 0) <= 0)
			continue;
		if (!fgets(word, sizeof(word), stdin))
			return;
	} while (!(input.revents & POLLIN) || obey(echo, word));
}

int
main(int count, char **arguments)
{
	struct stw_eal_config eal = STW_EAL_CONFIG_INIT;
	struct echo echo = {0};
	int error;

	setvbuf(stdin, NULL, _IONBF, 0);
	stw_log_set(log_line, NULL, STW_LOG_DEBUG);
	if (count != 7 || read_arguments(&echo, arguments) != 0) {
		fprintf(stderr, "usage: echo KIND INTERFACE ADDRESS FIRST LAST WORKERS\n");
		return 2;
	}
	eal.memory_mib = 64;
	error = stw_eal_start(&eal);
	if (!error)
		error = open_port(&echo);
	if (error) {
		printf("error %d\n", error);
		return 1;
	}
	printf("ready %d\n", (int)echo.port.xdp_mode);
	fflush(stdout);
	serve(&echo);
	port_close(&echo.port);
	stw_eal_stop();
	printf("closed\n");
	return 0;
}

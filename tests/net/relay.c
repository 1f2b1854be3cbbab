/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet plane on one kernel interface with one session of two legs, relayed both ways by workers of
 * its own. Speaks one line at a time with the test that runs it: "ready MODE PORT PORT" names
 * the local ports of the caller's and the agent's leg; each word on stdin ("stats", "workers", "modes", "quit")
 * is answered by a line.
 *
 *   relay xdp-native|xdp-generic|af_packet|owned INTERFACE ADDRESS FIRST LAST [ADDRESS VLAN]
 *   relay xdp-native|xdp-generic|af_packet|owned INTERFACE ADDRESS FIRST LAST poll|adaptive [WORKERS]
 *
 * "owned" takes the interface for a device of DPDK's own, and gives the kernel the rest by stw0. With "takeover=MS" in
 * front of KIND it waits so long for another of its kind to go. INTERFACE may be two, "eth0,eth1": the second
 * address lives on the second.
 *
 * The agent's leg lives on the second address, where there is one, in its VLAN; 0: none.
 */
#include "host.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <strowger/media.h>

#define ADVANCE_MS 10

/* Milliseconds between two looks at the exception interface, and packets carried. */
#define EXCEPTION_MS      1
#define EXCEPTION_PACKETS 256

struct relay {
	struct stw_media *media;
	uint32_t second; /* index of the address of the agent's leg */
	uint32_t workers;
	uint32_t takeover_ms;
	struct stw_session session;
	struct stw_leg leg[2];
	struct stw_endpoint local[2];
};

static const struct {
	const char *name;
	enum stw_port_kind kind;
	enum stw_xdp_mode mode;
} kinds[] = {
	{"xdp-native", STW_PORT_AF_XDP, STW_XDP_NATIVE},
	{"xdp-generic", STW_PORT_AF_XDP, STW_XDP_GENERIC},
	{"xdp-auto", STW_PORT_AF_XDP, STW_XDP_AUTO},
	{"af_packet", STW_PORT_AF_PACKET, STW_XDP_NONE},
	{"owned", STW_PORT_DEVICE, STW_XDP_NONE},
};

static bool
is_idle_mode(const char *argument)
{
	return argument && (strcmp(argument, "poll") == 0 || strcmp(argument, "adaptive") == 0);
}

/* Number of ports beside the first. */
static uint32_t
second_port(struct stw_port_config *ports)
{
	static char names[64];
	char *comma;

	if (ports->kind == STW_PORT_DEVICE || !strchr(ports->device, ','))
		return 0;
	snprintf(names, sizeof(names), "%s", ports->device);
	comma = strchr(names, ',');
	*comma = '\0';
	ports[1] = ports[0];
	ports[0].device = names;
	ports[1].device = comma + 1;
	return 1;
}

static int
make_media(struct relay *relay, char **arguments)
{
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_address_config addresses[2] = {0};
	struct stw_port_config ports[2] = {{.device = arguments[2]}};
	struct stw_port_config *port = &ports[0];
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
	char device[128];
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].name, arguments[1]) != 0)
		i++;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return -EINVAL;
	port->kind = kinds[i].kind;
	port->xdp_mode = kinds[i].mode;
	port->takeover_ms = relay->takeover_ms;
	if (port->kind == STW_PORT_DEVICE) {
		snprintf(device, sizeof(device),
			 "net_af_packet0,iface=%s,qpairs=1,framesz=2048,blocksz=4096,framecnt=2048",
			 arguments[2]);
		port->device = device;
		port->exception = "stw0";
	}
	config.ports = ports;
	config.ports_count = 1 + second_port(ports);
	config.addresses = addresses;
	for (int j = 0; j < (arguments[6] && !is_idle_mode(arguments[6]) ? 2 : 1); j++) {
		struct stw_address_config *address = &addresses[config.addresses_count++];

		if (stw_ip_parse(arguments[j ? 6 : 3], &address->ip) != 0)
			return -EINVAL;
		address->prefix_bits = address->ip.family == 6 ? 64 : 24;
		address->udp_port_first = (uint16_t)atoi(arguments[4]);
		address->udp_port_last = (uint16_t)atoi(arguments[5]);
		address->vlan = j ? (uint16_t)atoi(arguments[7]) : 0;
		address->port = j ? config.ports_count - 1 : 0;
	}
	relay->second = config.addresses_count - 1;
	config.packets_max = 4096;
	config.playout_packets_max = 1024;
	if (arguments[6] && strcmp(arguments[6], "adaptive") == 0)
		worker.idle = STW_IDLE_ADAPTIVE;
	config.workers = relay->workers;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	return stw_media_create(&relay->media, &config);
}

static int
make_session(struct relay *relay)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config leg = STW_LEG_CONFIG_INIT;
	int error;
	int i;

	error = stw_session_add(relay->media, &session, &relay->session);
	for (i = 0; i < 2 && !error; i++) {
		leg.side = i ? STW_SIDE_AGENT : STW_SIDE_CALLER;
		leg.source_any_ip = 1;
		leg.address = i ? relay->second : 0;
		error = stw_leg_add(relay->media, relay->session, &leg, host_now_ns(),
				    &relay->leg[i], &relay->local[i]);
	}
	for (i = 0; i < 2 && !error; i++)
		error = stw_leg_connect(relay->media, relay->leg[i], relay->leg[!i]);
	return error;
}

/* Both legs' numbers, then the plane's. */
static void
answer_stats(struct relay *relay)
{
	struct stw_media_stats plane;
	struct stw_leg_stats leg;
	uint64_t verdicts = 0;
	int i;

	printf("stats");
	for (i = 0; i < 2; i++) {
		stw_leg_stats(relay->media, relay->leg[i], &leg);
		printf(" %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64, leg.packets_received,
		       leg.packets_sent, leg.packets_foreign, leg.packets_lost);
	}
	stw_media_stats(relay->media, &plane);
	for (i = 0; i < STW_VERDICT_COUNT; i++)
		verdicts += plane.verdicts[i];
	printf(" %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", plane.packets_received,
	       verdicts, plane.verdicts[STW_PASS_RELAYED], plane.port_missed);
	fflush(stdout);
}

static uint64_t
cpu_time_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* The process's CPU time, then each worker's numbers. */
static void
answer_workers(struct relay *relay)
{
	struct stw_worker_stats worker = {.struct_size = sizeof(worker)};

	printf("workers %" PRIu64, cpu_time_ns());
	for (uint32_t i = 0; i < relay->workers; i++) {
		stw_media_worker_stats(relay->media, i, host_now_ns(), &worker);
		printf(" %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64,
		       (int)worker.state, worker.packets_received, worker.sleeps, worker.waits,
		       worker.wakes, worker.turn_age_ns);
	}
	printf("\n");
	fflush(stdout);
}

/* How XDP is in use on two ports. */
static void
answer_modes(struct relay *relay)
{
	printf("modes %d %d\n", (int)stw_media_xdp_mode(relay->media, 0),
	       (int)stw_media_xdp_mode(relay->media, 1));
	fflush(stdout);
}

static void
serve(struct relay *relay)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char word[64];

	for (unsigned ms = 0;; ms += EXCEPTION_MS) {
		if (ms % ADVANCE_MS == 0)
			stw_media_advance(relay->media, host_now_ns());
		stw_media_exceptions(relay->media, EXCEPTION_PACKETS);
		if (poll(&input, 1, EXCEPTION_MS) <= 0)
			continue;
		if (!fgets(word, sizeof(word), stdin))
			return;
		if (strcmp(word, "stats\n") == 0)
			answer_stats(relay);
		else if (strcmp(word, "workers\n") == 0)
			answer_workers(relay);
		else if (strcmp(word, "modes\n") == 0)
			answer_modes(relay);
		else
			return;
	}
}

int
main(int count, char **arguments)
{
	struct relay relay = {0};
	int error;

	setvbuf(stdin, NULL, _IONBF, 0);
	if (count > 1 && sscanf(arguments[1], "takeover=%" SCNu32, &relay.takeover_ms) == 1) {
		arguments++;
		count--;
	}
	relay.workers = count > 6 && is_idle_mode(arguments[6]) && count == 8
				? (uint32_t)atoi(arguments[7])
				: 1;
	if (count < 6 || count > 8 || relay.workers < 1 || relay.workers > HOST_WORKERS_MAX ||
	    (count == 7 && !is_idle_mode(arguments[6]))) {
		fprintf(stderr, "usage: relay [takeover=MS] KIND INTERFACE ADDRESS FIRST LAST "
				"[ADDRESS VLAN | poll|adaptive [WORKERS]]\n");
		return 2;
	}
	error = host_start(relay.workers);
	if (!error)
		error = make_media(&relay, arguments);
	if (!error)
		error = make_session(&relay);
	if (!error)
		error = stw_media_start(relay.media);
	if (error) {
		printf("error %d\n", error);
	} else {
		printf("ready %d %u %u\n", (int)stw_media_xdp_mode(relay.media, 0),
		       relay.local[0].port, relay.local[1].port);
		fflush(stdout);
		serve(&relay);
	}
	stw_media_destroy(relay.media);
	stw_eal_stop();
	return error ? 1 : 0;
}

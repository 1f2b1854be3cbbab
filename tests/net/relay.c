/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet plane on one kernel interface with one session of two legs, relayed both ways by a worker
 * of its own. Speaks one line at a time with the test that runs it: "ready MODE PORT PORT" names
 * the local ports of the caller's and the agent's leg; each word on stdin ("stats", "quit") is
 * answered by a line.
 *
 *   relay xdp-native|xdp-generic|af_packet INTERFACE ADDRESS FIRST LAST
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <strowger/log.h>
#include <strowger/media.h>

#define ADVANCE_MS 10

struct relay {
	struct stw_media *media;
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
	{"af_packet", STW_PORT_AF_PACKET, STW_XDP_NONE},
};

static void
log_line(void *context, enum stw_log_level level, const char *line)
{
	fprintf(stderr, "%d %s\n", (int)level, line);
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The worker has the last CPU that this process may use. */
static int
start_eal(void)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	cpu_set_t cpus;
	uint32_t cpu = CPU_SETSIZE - 1;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	while (cpu > 0 && !CPU_ISSET(cpu, &cpus))
		cpu--;
	config.memory_mib = 128;
	config.worker_cpus = &cpu;
	config.worker_cpus_count = 1;
	return stw_eal_start(&config);
}

static int
make_media(struct relay *relay, char **arguments)
{
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_address_config address = {.prefix_bits = 24};
	struct stw_port_config port = {.device = arguments[2]};
	size_t i = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].name, arguments[1]) != 0)
		i++;
	if (i == sizeof(kinds) / sizeof(kinds[0]) || stw_ip_parse(arguments[3], &address.ip) != 0)
		return -EINVAL;
	port.kind = kinds[i].kind;
	port.xdp_mode = kinds[i].mode;
	address.udp_port_first = (uint16_t)atoi(arguments[4]);
	address.udp_port_last = (uint16_t)atoi(arguments[5]);
	config.ports = &port;
	config.ports_count = 1;
	config.addresses = &address;
	config.addresses_count = 1;
	config.packets_max = 4096;
	config.playout_packets_max = 1024;
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
		error = stw_leg_add(relay->media, relay->session, &leg, now_ns(), &relay->leg[i],
				    &relay->local[i]);
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

static void
serve(struct relay *relay)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char word[64];

	for (;;) {
		stw_media_advance(relay->media, now_ns());
		if (poll(&input, 1, ADVANCE_MS) <= 0)
			continue;
		if (!fgets(word, sizeof(word), stdin) || strcmp(word, "stats\n") != 0)
			return;
		answer_stats(relay);
	}
}

int
main(int count, char **arguments)
{
	struct relay relay = {0};
	int error;

	setvbuf(stdin, NULL, _IONBF, 0);
	stw_log_set(log_line, NULL, STW_LOG_INFO);
	if (count != 6) {
		fprintf(stderr, "usage: relay KIND INTERFACE ADDRESS FIRST LAST\n");
		return 2;
	}
	error = start_eal();
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

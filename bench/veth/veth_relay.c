/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our relay on one kernel interface, for bench/relay_veth.py and relay_kernel.py: a worker on the CPU
 * that it is given, and control here.
 *
 *   relay INTERFACE ADDRESS[,ADDRESS...] PARTY_ADDRESS CALLER_PORT AGENT_PORT CPU busy|adaptive worker|kernel
 *
 * Calls take turns with the addresses. The last word says where they are relayed.
 *
 * Speaks one line at a time with the driver:
 *   calls N FILE [FOLDER]   add N calls, to FILE their addresses and ports, as the generator reads them;
 *                           with a folder, each is recorded there.
 *                           Answered by: calls N MICROSECONDS (of this thread's CPU)
 *   drop                    remove all calls. Answered by: drop MICROSECONDS
 *   place                   answered by: place LEGS LEGS_IN_KERNEL REASONS (bits of enum stw_place_reason)
 *   stats                   answered by: stats RECEIVED RELAYED MISSED FORK_DROPPED
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <strowger/log.h>
#include <strowger/media.h>

#include "../rounds.h"

#define CALLS_MAX  60000
#define ADVANCE_MS 10

static struct {
	struct stw_media *media;
	struct stw_address_config addresses[STW_MEDIA_ADDRESSES_MAX];
	const char *address_texts[STW_MEDIA_ADDRESSES_MAX];
	uint32_t addresses_count;
	enum stw_place place;
	struct stw_endpoint parties[2];
	struct stw_session *sessions;
	uint32_t sessions_count;
	_Atomic int recording; /* 1: the recording thread is to go on */
	pthread_t recorder;
} relay;

static void
log_line(void *context, enum stw_log_level level, const char *line)
{
	fprintf(stderr, "%d %s\n", (int)level, line);
}

static double
thread_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

static void
eal_start(uint32_t cpu)
{
	struct stw_eal_config config = STW_EAL_CONFIG_INIT;
	int error;

	config.memory_mib = 512;
	config.worker_cpus = &cpu;
	config.worker_cpus_count = 1;
	error = stw_eal_start(&config);
	if (error)
		rounds_die("EAL: %s", strerror(-error));
}

static void
addresses_set(char *list)
{
	for (char *rest = list, *word; (word = strtok_r(rest, ",", &rest));) {
		struct stw_address_config *local = &relay.addresses[relay.addresses_count];

		if (relay.addresses_count == STW_MEDIA_ADDRESSES_MAX)
			rounds_die("too many addresses");
		relay.address_texts[relay.addresses_count++] = word;
		*local = (struct stw_address_config){
			.prefix_bits = 24, .udp_port_first = 10000, .udp_port_last = 65535};
		if (stw_ip_parse(word, &local->ip) != 0)
			rounds_die("'%s' is no address", word);
	}
}

static void
place_set(const char *place)
{
	if (strcmp(place, "kernel") == 0)
		relay.place = STW_PLACE_KERNEL;
	else if (strcmp(place, "worker") == 0)
		relay.place = STW_PLACE_WORKER;
	else
		rounds_die("no place is called '%s'", place);
}

static void
media_make(const char *interface, const char *mode)
{
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_port_config port = {
		.kind = STW_PORT_AF_XDP, .device = interface, .xdp_mode = STW_XDP_AUTO};
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
	int error;

	if (strcmp(mode, "adaptive") == 0)
		worker.idle = STW_IDLE_ADAPTIVE;
	else if (strcmp(mode, "busy") != 0)
		rounds_die("no idling is called '%s'", mode);
	worker.overload_bursts = STW_OVERLOAD_NEVER;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	config.ports = &port;
	config.ports_count = 1;
	config.addresses = relay.addresses;
	config.addresses_count = relay.addresses_count;
	config.sessions_max = CALLS_MAX;
	config.legs_max = 2 * CALLS_MAX;
	config.forks_max = CALLS_MAX;
	config.packets_max = 65536;
	config.quarantine_ns = 0;
	if (relay.place == STW_PLACE_KERNEL)
		config.kernel_relay = STW_KERNEL_RELAY_REQUIRED;
	error = stw_media_create(&relay.media, &config);
	if (error)
		rounds_die("packet plane: %s", strerror(-error));
	error = stw_media_start(relay.media);
	if (error)
		rounds_die("workers: %s", strerror(-error));
}

static void
must(const char *what, int error)
{
	if (error < 0)
		rounds_die("%s: %s", what, strerror(-error));
}

static void
call_add(FILE *file, const char *folder, uint32_t index)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct stw_fork_config fork = STW_FORK_CONFIG_INIT;
	struct stw_leg_config leg = STW_LEG_CONFIG_INIT;
	struct stw_session *added = &relay.sessions[index];
	struct stw_endpoint local[2];
	uint64_t now_ns = rounds_now_ns();
	struct stw_leg legs[2];
	struct stw_fork made;
	const char *address = relay.address_texts[index % relay.addresses_count];
	char path[600];

	session.place = relay.place;
	leg.address = index % relay.addresses_count;
	must("session", stw_session_add(relay.media, &session, added));
	for (unsigned side = 0; side < 2; side++) {
		leg.side = side ? STW_SIDE_AGENT : STW_SIDE_CALLER;
		leg.remote = relay.parties[side];
		must("leg",
		     stw_leg_add(relay.media, *added, &leg, now_ns, &legs[side], &local[side]));
	}
	for (unsigned side = 0; side < 2; side++)
		must("connect", stw_leg_connect(relay.media, legs[side], legs[!side]));
	if (folder) {
		snprintf(path, sizeof(path), "%s/%u.pcapng", folder, index);
		fork.path = path;
		must("fork", stw_fork_add(relay.media, *added, &fork, now_ns, &made));
	}
	fprintf(file, "%s %u %s %u\n", address, local[0].port, address, local[1].port);
}

static void *
record_run(void *unused)
{
	while (atomic_load(&relay.recording)) {
		if (stw_media_record(relay.media, 1024) == 0)
			rounds_sleep_ms(1);
	}
	return NULL;
}

static void
answer_calls(unsigned count, const char *path, const char *folder)
{
	FILE *file = fopen(path, "w");
	double before_us;

	if (!file || relay.sessions_count + count > CALLS_MAX)
		rounds_die("%s: %s", path, file ? "too many calls" : strerror(errno));
	before_us = thread_us();
	for (unsigned i = 0; i < count; i++)
		call_add(file, folder, relay.sessions_count++);
	printf("calls %u %.1f\n", count, thread_us() - before_us);
	fclose(file);
	if (folder && !atomic_exchange(&relay.recording, 1) &&
	    pthread_create(&relay.recorder, NULL, record_run, NULL))
		rounds_die("no thread to record");
}

static void
answer_drop(void)
{
	double before_us = thread_us();

	while (relay.sessions_count)
		must("remove",
		     stw_session_remove(relay.media, relay.sessions[--relay.sessions_count],
					rounds_now_ns()));
	printf("drop %.1f\n", thread_us() - before_us);
	if (atomic_exchange(&relay.recording, 0))
		pthread_join(relay.recorder, NULL);
	while (stw_media_record(relay.media, 1024) > 0)
		;
}

static void
answer_place(void)
{
	uint32_t legs = 0, inside = 0, reasons = 0;

	for (uint32_t i = 0; i < relay.sessions_count; i++) {
		struct stw_session_place place;

		must("place", stw_session_place(relay.media, relay.sessions[i], &place));
		legs += place.legs;
		inside += place.legs_kernel;
		reasons |= place.reasons;
	}
	printf("place %" PRIu32 " %" PRIu32 " %#" PRIx32 "\n", legs, inside, reasons);
}

static void
answer_stats(void)
{
	struct stw_media_stats stats;

	stw_media_stats(relay.media, &stats);
	printf("stats %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", stats.packets_received,
	       stats.verdicts[STW_PASS_RELAYED], stats.port_missed, stats.fork_dropped);
}

static void
answer(const char *line)
{
	char path[512], folder[512];
	unsigned count;
	int words = sscanf(line, "calls %u %511s %511s", &count, path, folder);

	if (words >= 2)
		answer_calls(count, path, words == 3 ? folder : NULL);
	else if (!strncmp(line, "drop", 4))
		answer_drop();
	else if (!strncmp(line, "place", 5))
		answer_place();
	else if (!strncmp(line, "stats", 5))
		answer_stats();
	else
		rounds_die("what is '%s'?", line);
	fflush(stdout);
}

static void
party_set(unsigned side, const char *address, const char *port)
{
	must(address, stw_ip_parse(address, &relay.parties[side].ip));
	relay.parties[side].port = (uint16_t)atoi(port);
}

int
main(int argc, char **argv)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char line[1200];

	if (argc != 9)
		rounds_die("usage: %s INTERFACE ADDRESS[,...] PARTY CALLER_PORT AGENT_PORT CPU "
			   "MODE PLACE",
			   argv[0]);
	setvbuf(stdin, NULL, _IONBF, 0);
	stw_log_set(log_line, NULL, STW_LOG_INFO);
	relay.sessions = calloc(CALLS_MAX, sizeof(*relay.sessions));
	if (!relay.sessions)
		rounds_die("no memory");
	party_set(0, argv[3], argv[4]);
	party_set(1, argv[3], argv[5]);
	eal_start((uint32_t)atoi(argv[6]));
	addresses_set(argv[2]);
	place_set(argv[8]);
	media_make(argv[1], argv[7]);
	printf("ready %d\n", (int)stw_media_xdp_mode(relay.media, 0));
	fflush(stdout);
	for (;;) {
		stw_media_advance(relay.media, rounds_now_ns());
		if (poll(&input, 1, ADVANCE_MS) <= 0)
			continue;
		if (!fgets(line, sizeof(line), stdin) || !strncmp(line, "quit", 4))
			break;
		answer(line);
	}
	answer_drop();
	stw_media_destroy(relay.media);
	stw_eal_stop();
	free(relay.sessions);
	return 0;
}

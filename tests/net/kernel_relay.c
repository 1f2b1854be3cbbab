/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet plane on one kernel interface with sessions of two legs, relayed inside the kernel while they can
 * be, and moved out and in. Speaks one line at a time with the test that runs it: "ready RELAY PORT..." says
 * whether there is a relay inside the kernel and names the local ports of the callers' and agents'
 * legs in turn. A line on stdin is answered by a line:
 *
 *   place           legs inside the kernel, legs, reasons of the others over all sessions
 *   ask PLACE       move all sessions: auto, worker, kernel
 *   move KIND MS    for so long: put something on each session that has been inside for MOVE_PACKETS, and
 *                   take it away when its packets come through the worker; KIND: fork, playout, suppress, place, mix
 *   stats           entered left kernel worker dropped received verdicts missed copies; of all legs: received
 *                   sent foreign lost
 *   legs            of each leg: received sent lost duplicates late
 *   quit
 *
 *   kernel_relay native|generic INTERFACE never|auto|required SESSIONS FIRST LAST ADDRESS [ADDRESS]
 *
 * The agents' legs live on the second address, where there is one.
 */
#include "host.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <strowger/media.h>

#define SESSIONS_MAX 64
#define ADVANCE_MS   10
#define FRAMES       256

/* Packets of both legs that the kernel relays between two moves. */
#define MOVE_PACKETS 2

/* A session, and what is on it now. */
struct call {
	struct stw_session session;
	struct stw_leg legs[2];
	struct stw_endpoint locals[2];
	struct stw_fork fork;
	struct stw_mix mix;
	uint64_t received; /* by its legs when that was put on it */
	uint64_t inside;   /* so many before it is put on again; 0: not all legs are inside */
	int busy;
};

struct relay {
	struct stw_media *media;
	struct stw_consumer *consumer;
	struct stw_playout tone;
	uint32_t calls_count;
	uint32_t second; /* address of the agents' legs */
	struct call calls[SESSIONS_MAX];
	uint64_t copies;
};

static int
address_of(char **arguments, const char *text, struct stw_address_config *address)
{
	address->udp_port_first = (uint16_t)atoi(arguments[5]);
	address->udp_port_last = (uint16_t)atoi(arguments[6]);
	if (stw_ip_parse(text, &address->ip) != 0)
		return -EINVAL;
	address->prefix_bits = address->ip.family == 6 ? 64 : 24;
	return 0;
}

static int
make_media(struct relay *relay, char **arguments)
{
	struct stw_media_config config = STW_MEDIA_CONFIG_INIT;
	struct stw_worker_config worker = STW_WORKER_CONFIG_INIT;
	struct stw_consumer_config consumer = STW_CONSUMER_CONFIG_INIT;
	struct stw_address_config addresses[2] = {0};
	struct stw_port_config port = {.kind = STW_PORT_AF_XDP, .device = arguments[2]};
	struct stw_tone_config tone = STW_TONE_CONFIG_INIT;
	int error = 0;

	port.xdp_mode = strcmp(arguments[1], "native") ? STW_XDP_GENERIC : STW_XDP_NATIVE;
	for (int i = 7; arguments[i] && i < 9 && !error; i++)
		error = address_of(arguments, arguments[i], &addresses[config.addresses_count++]);
	relay->second = config.addresses_count - 1;
	config.ports = &port;
	config.ports_count = 1;
	config.addresses = addresses;
	config.packets_max = 4096;
	config.playout_packets_max = 1024;
	config.mixes_max = SESSIONS_MAX;
	config.kernel_relay = strcmp(arguments[3], "never") == 0  ? STW_KERNEL_RELAY_NEVER
			      : strcmp(arguments[3], "auto") == 0 ? STW_KERNEL_RELAY_AUTO
								  : STW_KERNEL_RELAY_REQUIRED;
	/* Two cores serve the test, this thread and the worker. */
	worker.idle = STW_IDLE_ADAPTIVE;
	config.worker_configs = &worker;
	config.worker_configs_count = 1;
	if (!error)
		error = stw_media_create(&relay->media, &config);
	if (!error)
		error = stw_consumer_open(relay->media, &consumer, &relay->consumer);
	stw_tone_preset(STW_TONE_BUSY, &tone);
	return error ? error : stw_tone_load(relay->media, &tone, &relay->tone);
}

static int
make_call(struct relay *relay, struct call *call)
{
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config leg = STW_LEG_CONFIG_INIT;
	int error = stw_session_add(relay->media, &session, &call->session);

	for (int i = 0; i < 2 && !error; i++) {
		leg.side = i ? STW_SIDE_AGENT : STW_SIDE_CALLER;
		leg.source_any_ip = 1;
		leg.event_pt = 101;
		leg.address = i ? relay->second : 0;
		error = stw_leg_add(relay->media, call->session, &leg, host_now_ns(),
				    &call->legs[i], &call->locals[i]);
	}
	for (int i = 0; i < 2 && !error; i++)
		error = stw_leg_connect(relay->media, call->legs[i], call->legs[!i]);
	return error;
}

static uint64_t
received(const struct relay *relay, const struct call *call)
{
	struct stw_leg_stats stats;
	uint64_t sum = 0;

	for (int i = 0; i < 2; i++) {
		stw_leg_stats(relay->media, call->legs[i], &stats);
		sum += stats.packets_received;
	}
	return sum;
}

static void
put_on(struct relay *relay, struct call *call, const char *kind)
{
	struct stw_fork_config fork = STW_FORK_CONFIG_INIT;
	struct stw_mix_leg_config parties[2] = {STW_MIX_LEG_CONFIG_INIT, STW_MIX_LEG_CONFIG_INIT};
	struct stw_mix_config mix = STW_MIX_CONFIG_INIT;
	int error = 0;

	fork.kind = STW_FORK_RING;
	fork.consumer = relay->consumer;
	parties[0].leg = call->legs[0];
	parties[1].leg = call->legs[1];
	mix.legs = parties;
	mix.legs_count = 2;
	if (strcmp(kind, "fork") == 0)
		error = stw_fork_add(relay->media, call->session, &fork, host_now_ns(),
				     &call->fork);
	else if (strcmp(kind, "playout") == 0)
		error = stw_playout_attach(relay->media, call->legs[1], relay->tone, host_now_ns());
	else if (strcmp(kind, "suppress") == 0)
		error = stw_leg_suppress(relay->media, call->legs[0], STW_SUPPRESS_DIGITS);
	else if (strcmp(kind, "mix") == 0)
		error = stw_mix_add(relay->media, call->session, &mix, host_now_ns(), &call->mix);
	else
		error = stw_session_place_set(relay->media, call->session, STW_PLACE_WORKER);
	if (error)
		fprintf(stderr, "%s: %d\n", kind, error);
}

static void
take_off(struct relay *relay, struct call *call, const char *kind)
{
	if (strcmp(kind, "fork") == 0)
		stw_fork_remove(relay->media, call->fork);
	else if (strcmp(kind, "playout") == 0)
		stw_playout_attach(relay->media, call->legs[1], (struct stw_playout){0},
				   host_now_ns());
	else if (strcmp(kind, "suppress") == 0)
		stw_leg_suppress(relay->media, call->legs[0], 0);
	else if (strcmp(kind, "mix") == 0)
		stw_mix_remove(relay->media, call->mix);
	else
		stw_session_place_set(relay->media, call->session, STW_PLACE_AUTO);
}

/* Copies are counted and given back. */
static void
take_copies(struct relay *relay)
{
	const struct stw_frame *frames[FRAMES];
	int count = stw_consumer_take(relay->consumer, frames, FRAMES);

	if (count > 0)
		stw_consumer_give(relay->consumer, frames, (uint32_t)count);
	relay->copies += count > 0 ? (uint64_t)count : 0;
}

/* Put on what is inside, take off what has had a packet since. Returns how many were moved out. */
static uint32_t
move_once(struct relay *relay, const char *kind)
{
	struct stw_session_place place;
	uint32_t moved = 0;

	for (uint32_t i = 0; i < relay->calls_count; i++) {
		struct call *call = &relay->calls[i];

		stw_session_place(relay->media, call->session, &place);
		if (!call->busy && place.legs_kernel < place.legs) {
			call->inside = 0;
		} else if (!call->busy && !call->inside) {
			call->inside = received(relay, call) + MOVE_PACKETS;
		} else if (!call->busy && received(relay, call) >= call->inside) {
			call->received = received(relay, call);
			put_on(relay, call, kind);
			call->busy = 1;
			moved++;
		} else if (call->busy && received(relay, call) != call->received) {
			take_off(relay, call, kind);
			call->busy = 0;
		}
	}
	return moved;
}

static void
move(struct relay *relay, const char *kind, uint64_t ms)
{
	uint64_t end_ns = host_now_ns() + ms * 1000000, moves = 0;
	struct timespec pause = {.tv_nsec = 200000};

	while (host_now_ns() < end_ns) {
		moves += move_once(relay, kind);
		stw_media_advance(relay->media, host_now_ns());
		take_copies(relay);
		nanosleep(&pause, NULL);
	}
	for (uint32_t i = 0; i < relay->calls_count; i++) {
		if (relay->calls[i].busy)
			take_off(relay, &relay->calls[i], kind);
		relay->calls[i].busy = 0;
	}
	printf("move %" PRIu64 "\n", moves);
}

static void
answer_place(struct relay *relay)
{
	struct stw_session_place place;
	uint32_t inside = 0, legs = 0, reasons = 0;

	for (uint32_t i = 0; i < relay->calls_count; i++) {
		stw_session_place(relay->media, relay->calls[i].session, &place);
		inside += place.legs_kernel;
		legs += place.legs;
		reasons |= place.reasons;
	}
	printf("place %" PRIu32 " %" PRIu32 " %" PRIu32 "\n", inside, legs, reasons);
}

static void
answer_stats(struct relay *relay)
{
	struct stw_media_stats plane;
	struct stw_leg_stats leg;
	uint64_t verdicts = 0, in = 0, out = 0, foreign = 0;
	int64_t lost = 0;

	stw_media_stats(relay->media, &plane);
	for (int i = 0; i < STW_VERDICT_COUNT; i++)
		verdicts += plane.verdicts[i];
	for (uint32_t i = 0; i < 2 * relay->calls_count; i++) {
		stw_leg_stats(relay->media, relay->calls[i / 2].legs[i % 2], &leg);
		in += leg.packets_received;
		out += leg.packets_sent;
		foreign += leg.packets_foreign;
		lost += leg.packets_lost;
	}
	printf("stats %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
	       " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64
	       "\n",
	       plane.kernel_entered, plane.kernel_left, plane.packets_kernel,
	       plane.verdicts[STW_PASS_RELAYED] - plane.packets_kernel,
	       plane.packets_kernel_dropped, plane.packets_received, verdicts, plane.port_missed,
	       relay->copies, in, out, foreign, lost);
}

static void
answer_legs(struct relay *relay)
{
	struct stw_leg_stats leg;

	printf("legs");
	for (uint32_t i = 0; i < 2 * relay->calls_count; i++) {
		stw_leg_stats(relay->media, relay->calls[i / 2].legs[i % 2], &leg);
		printf(" %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu64,
		       leg.packets_received, leg.packets_sent, leg.packets_lost,
		       leg.packets_duplicate, leg.packets_late);
	}
	printf("\n");
}

static void
ask(struct relay *relay, const char *name)
{
	enum stw_place place = strcmp(name, "auto") == 0     ? STW_PLACE_AUTO
			       : strcmp(name, "worker") == 0 ? STW_PLACE_WORKER
							     : STW_PLACE_KERNEL;
	int error = 0;

	for (uint32_t i = 0; i < relay->calls_count && !error; i++)
		error = stw_session_place_set(relay->media, relay->calls[i].session, place);
	printf("ask %d\n", error);
}

static void
serve(struct relay *relay)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char line[64], word[16], kind[16];
	unsigned ms;

	for (;;) {
		stw_media_advance(relay->media, host_now_ns());
		take_copies(relay);
		if (poll(&input, 1, ADVANCE_MS) <= 0)
			continue;
		if (!fgets(line, sizeof(line), stdin) ||
		    sscanf(line, "%15s %15s %u", word, kind, &ms) < 1 || strcmp(word, "quit") == 0)
			return;
		if (strcmp(word, "place") == 0)
			answer_place(relay);
		else if (strcmp(word, "ask") == 0)
			ask(relay, kind);
		else if (strcmp(word, "move") == 0)
			move(relay, kind, ms);
		else if (strcmp(word, "legs") == 0)
			answer_legs(relay);
		else
			answer_stats(relay);
		fflush(stdout);
	}
}

int
main(int count, char **arguments)
{
	struct relay relay = {0};
	struct stw_media_stats stats;
	int error;

	setvbuf(stdin, NULL, _IONBF, 0);
	if (count < 8 || atoi(arguments[4]) > SESSIONS_MAX) {
		fprintf(stderr, "usage: kernel_relay native|generic INTERFACE never|auto|required "
				"SESSIONS FIRST LAST ADDRESS [ADDRESS]\n");
		return 2;
	}
	error = host_start(1);
	if (!error)
		error = make_media(&relay, arguments);
	while (!error && relay.calls_count < (uint32_t)atoi(arguments[4]))
		error = make_call(&relay, &relay.calls[relay.calls_count++]);
	if (!error)
		error = stw_media_start(relay.media);
	if (error) {
		printf("error %d\n", error);
	} else {
		stw_media_stats(relay.media, &stats);
		printf("ready %u", stats.kernel_relay);
		for (uint32_t i = 0; i < 2 * relay.calls_count; i++)
			printf(" %u", relay.calls[i / 2].locals[i % 2].port);
		printf("\n");
		fflush(stdout);
		serve(&relay);
	}
	if (relay.consumer)
		stw_consumer_close(relay.consumer);
	stw_media_destroy(relay.media);
	stw_eal_stop();
	return error ? 1 : 0;
}

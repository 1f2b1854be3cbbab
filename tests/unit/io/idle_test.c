/* SPDX-License-Identifier: BSD-3-Clause */
/* How a worker idles: the steps, what bounds a wait, who wakes it, what its numbers say. */
#include <criterion/criterion.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/idle.h"
#include "io/media.h"
#include "wire.h"

#define TRIES 1000

static struct wire wire;
static char path[] = "/tmp/stw-idle-XXXXXX";

static struct stw_worker_config
adaptive(void)
{
	struct stw_worker_config config = STW_WORKER_CONFIG_INIT;

	config.idle = STW_IDLE_ADAPTIVE;
	return config;
}

static void
start_eal(void)
{
	struct stw_eal_config eal = STW_EAL_CONFIG_INIT;
	uint32_t cpu = 0;

	eal.huge_pages = 0;
	eal.memory_mib = 128;
	eal.worker_cpus = &cpu;
	eal.worker_cpus_count = 1;
	cr_assert_eq(stw_eal_start(&eal), 0);
}

static void
open_with(const struct stw_worker_config *worker)
{
	struct stw_media_config config = wire_config();

	config.worker_configs = worker;
	config.worker_configs_count = 1;
	wire_open(&wire, &config);
}

static struct stw_worker_stats
worker_stats(uint64_t now_ns)
{
	struct stw_worker_stats stats = {.struct_size = sizeof(stats)};

	cr_assert_eq(stw_media_worker_stats(wire.media, 0, now_ns, &stats), 0);
	return stats;
}

static struct stw_playout
music_load(void)
{
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	uint8_t wav[44 + 1600] =
		"RIFF....WAVEfmt \x10\0\0\0\7\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\10\0data";
	uint32_t data_bytes = 1600, riff_bytes = 1636;
	struct stw_playout playout;
	FILE *file = fdopen(mkstemp(path), "wb");

	memcpy(wav + 4, &riff_bytes, 4);
	memcpy(wav + 40, &data_bytes, 4);
	fwrite(wav, 1, sizeof(wav), file);
	fclose(file);
	config.path = path;
	config.loop = 1;
	cr_assert_eq(stw_playout_load(wire.media, &config, &playout), 0);
	unlink(path);
	return playout;
}

TestSuite(idle, .init = start_eal, .fini = stw_eal_stop);

Test(idle, steps_follow_each_other_by_the_time_without_work)
{
	struct idle idle = {.busy_ns = 1000000, .every_port = true};
	struct idle_step step;

	idle.config = (struct stw_worker_config){.idle = STW_IDLE_ADAPTIVE,
						 .pause_ns = 100,
						 .sleep_ns = 2000,
						 .sleep_for_ns = 10000,
						 .doze_ns = 5000,
						 .wait_ns = 50000};
#define STEP(passed_ns, due_in_ns, state_is, ns_is)                                                \
	do {                                                                                       \
		step = idle_choose(&idle, idle.busy_ns + (passed_ns),                              \
				   due_in_ns ? idle.busy_ns + (passed_ns) + (due_in_ns)            \
					     : UINT64_MAX);                                        \
		cr_assert_eq(step.state, state_is, "after %d: %d", passed_ns, step.state);         \
		cr_assert_eq(step.ns, ns_is, "after %d: %lu", passed_ns, step.ns);                 \
	} while (0)
	STEP(0, 0, STW_WORKER_POLLING, 0);
	STEP(99, 0, STW_WORKER_POLLING, 0);
	STEP(100, 0, STW_WORKER_SLEEPING, 2000);
	STEP(10099, 0, STW_WORKER_SLEEPING, 2000);
	STEP(10100, 0, STW_WORKER_WAITING, 50000);
	STEP(10100, 49999, STW_WORKER_WAITING, 49999);
	STEP(10100, 50001, STW_WORKER_WAITING, 50000);
	STEP(10100, 2001, STW_WORKER_WAITING, 2001);
	STEP(10100, 2000, STW_WORKER_SLEEPING, 2000);
	STEP(10100, -500, STW_WORKER_SLEEPING, 2000);
	idle.every_port = false;
	STEP(10100, 0, STW_WORKER_WAITING, 5000);
	idle.config.idle = STW_IDLE_POLL;
	STEP(10100, 0, STW_WORKER_POLLING, 0);
#undef STEP
}

Test(idle, settings_outside_their_range_are_refused)
{
	struct stw_port_config port = {STW_PORT_DEVICE, "net_ring0", 0, STW_XDP_NONE};
	struct stw_address_config address = {
		.ip = {4, {10, 0, 0, 1}},
		.prefix_bits = 24,
		.udp_port_first = 20000,
		.udp_port_last = 20099,
	};
	struct stw_media_config config = wire_config();
	struct stw_worker_config workers[2];
	struct stw_media *media = NULL;

	config.ports = &port;
	config.ports_count = 1;
	config.addresses = &address;
	config.addresses_count = 1;
	config.workers = 2;
	config.worker_configs = workers;
	config.worker_configs_count = 2;
#define REFUSED(field, value)                                                                      \
	do {                                                                                       \
		workers[0] = adaptive();                                                           \
		workers[1] = adaptive();                                                           \
		workers[1].field = value;                                                          \
		cr_assert_eq(stw_media_create(&media, &config), -EINVAL, #field);                  \
	} while (0)
	REFUSED(struct_size, 0);
	REFUSED(idle, STW_IDLE_ADAPTIVE + 1);
	REFUSED(sleep_ns, 999);
	REFUSED(sleep_ns, 10000001);
	REFUSED(doze_ns, 99999);
	REFUSED(doze_ns, 100000001);
	REFUSED(wait_ns, 999999);
	REFUSED(wait_ns, 1000000001);
#undef REFUSED
	workers[1] = adaptive();
	config.worker_configs_count = 3;
	cr_assert_eq(stw_media_create(&media, &config), -EINVAL);
	config.worker_configs_count = 1;
	config.worker_configs = NULL;
	cr_assert_eq(stw_media_create(&media, &config), -EINVAL);
	cr_assert_null(media);
}

Test(idle, wait_ends_when_the_next_thing_is_due)
{
	struct stw_worker_config config = adaptive();
	struct stw_playout music;
	struct worker *worker;
	struct call call;

	open_with(&config);
	worker = &wire.media->workers[0];
	wire_call_latched(&wire, &call);
	music = music_load();
	wire_poll(&wire);
	cr_assert_eq(worker_due(worker), UINT64_MAX);
	cr_assert_eq(stw_playout_attach(wire.media, call.caller, music, wire.now_ns + 5 * WIRE_MS),
		     0);
	cr_assert_leq(worker_due(worker), wire.now_ns, "control has asked");
	wire_poll(&wire);
	cr_assert_eq(worker_due(worker), wire.now_ns + 5 * WIRE_MS);
	wire.now_ns += 5 * WIRE_MS;
	wire_poll(&wire);
	cr_assert_eq(wire_drop_all(&wire, 0), 1);
	cr_assert_eq(worker_due(worker), wire.now_ns + 20 * WIRE_MS);
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	wire_poll(&wire);
	wire.now_ns += 20 * WIRE_MS;
	wire_poll(&wire);
	cr_assert_eq(worker_due(worker), UINT64_MAX);
	wire_close(&wire);
}

Test(idle, wait_ends_for_keys_and_for_silence)
{
	struct stw_worker_config config = adaptive();
	struct stw_leg_config leg = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct worker *worker;
	struct frame frame;
	struct call call;

	open_with(&config);
	worker = &wire.media->workers[0];
	wire_call_latched(&wire, &call);
	wire_event(&frame, &wire_caller, &call.caller_local, 2, 320, 5, false, 160);
	wire_give(&wire, 0, &frame);
	wire_poll(&wire);
	cr_assert_eq(worker_due(worker), wire.now_ns + 20 * WIRE_MS, "a key is down");
	wire_event(&frame, &wire_caller, &call.caller_local, 3, 320, 5, true, 800);
	wire_give(&wire, 0, &frame);
	wire_poll(&wire);
	wire_poll(&wire);
	cr_assert_eq(worker_due(worker), UINT64_MAX);
	leg.silent_ns = 1000 * WIRE_MS;
	cr_assert_eq(stw_leg_update(wire.media, call.caller, &leg, wire.now_ns), 0);
	wire_poll(&wire);
	cr_assert_eq(worker_due(worker), wire.now_ns + 250 * WIRE_MS, "all legs within a round");
	wire_close(&wire);
}

/* Wait until the worker says that it waits. */
static struct stw_worker_stats
await_waiting(void)
{
	struct stw_worker_stats stats;

	do {
		sched_yield();
		stats = worker_stats(clock_now_ns());
	} while (stats.state != STW_WORKER_WAITING);
	return stats;
}

Test(idle, waiting_worker_is_woken_by_control, .timeout = 60)
{
	struct stw_worker_config config = adaptive();
	struct stw_playout music, nothing = {0};
	struct call call;
	unsigned tries = 0;

	config.doze_ns = 100000000;
	open_with(&config);
	wire_call_latched(&wire, &call);
	music = music_load();
	cr_assert_eq(stw_media_start(wire.media), 0);
	while (worker_stats(0).wakes_asked == 0) {
		cr_assert_lt(tries++, 50);
		cr_assert_eq(stw_playout_attach(wire.media, call.caller, nothing, 0), 0);
		await_waiting();
		cr_assert_eq(stw_playout_attach(wire.media, call.caller, music, clock_now_ns()), 0);
		while (wire_drop_all(&wire, 0) == 0)
			sched_yield();
	}
	wire_close(&wire);
}

Test(idle, waiting_worker_holds_up_no_control_call, .timeout = 60)
{
	struct stw_worker_config config = adaptive();
	struct stw_worker_stats before, after;
	bool shown = false;

	config.doze_ns = 100000000;
	open_with(&config);
	cr_assert_eq(stw_media_start(wire.media), 0);
	for (unsigned i = 0; i < TRIES && !shown; i++) {
		struct call call;

		wire.now_ns = clock_now_ns();
		wire_call(&wire, &call);
		before = await_waiting();
		cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
		stw_media_advance(wire.media, clock_now_ns());
		shown = wire.media->legs_retired_count == 0;
		after = worker_stats(clock_now_ns());
		/* Meanwhile it may have had a turn: then that shows nothing. */
		shown = shown && after.state == STW_WORKER_WAITING && after.turns == before.turns;
		wire.now_ns += 3000 * WIRE_MS;
		stw_media_advance(wire.media, wire.now_ns);
	}
	cr_assert(shown);
	wire_close(&wire);
}

Test(idle, adaptive_worker_relays_and_says_what_it_did, .timeout = 60)
{
	struct stw_worker_config config = adaptive();
	struct stw_worker_stats stats;
	struct frame frame;
	struct call call;
	uint16_t first = 0;

	open_with(&config);
	wire_call_latched(&wire, &call);
	stats = worker_stats(wire.now_ns);
	cr_assert_eq(stats.state, STW_WORKER_STOPPED);
	cr_assert_eq(stats.packets_received, 4);
	cr_assert_eq(stats.turns, 2);
	cr_assert_eq(stats.lcore, UINT32_MAX);
	cr_assert_eq(stw_media_start(wire.media), 0);
	for (uint16_t i = 2; i < 52; i++) {
		await_waiting();
		wire_rtp(&frame, &wire_caller, &call.caller_local, 0, i, 160u * i);
		wire_give(&wire, 0, &frame);
		/* Beside it the plane announces its addresses. */
		while (!wire_take(&wire, 1, &frame) || wire_u16(&frame, 12) != 0x0800)
			sched_yield();
		/* The stream that a leg is sent has numbers of its own. */
		if (i == 2)
			first = wire_u16(&frame, 44);
		cr_assert_eq((uint16_t)(wire_u16(&frame, 44) - first), i - 2);
	}
	stats = await_waiting();
	cr_assert_eq(stats.packets_received, 54);
	cr_assert_geq(stats.waits, 50);
	cr_assert_geq(stats.sleeps, 50);
	cr_assert_gt(stats.waiting_ns, 0);
	cr_assert_gt(stats.sleeping_ns, 0);
	cr_assert_gt(stats.working_ns, 0);
	cr_assert_gt(stats.turn_ns_max, 0);
	cr_assert_gt(stats.turns_idle, stats.turns / 2);
	cr_assert_neq(stats.lcore, UINT32_MAX);
	cr_assert_eq(stats.cpu, 0);
	wire_close(&wire);
}

Test(idle, descriptor_that_is_always_readable_costs_a_sleep, .timeout = 60)
{
	struct stw_worker_config config = adaptive();
	struct stw_worker_stats before, after;
	struct idle *idle;
	int fd = eventfd(1, 0);

	open_with(&config);
	idle = &((struct media_io *)wire.media)->idles[0];
	idle->waits_for[idle->descriptors++] = (struct pollfd){.fd = fd, .events = POLLIN};
	cr_assert_eq(stw_media_start(wire.media), 0);
	while (worker_stats(clock_now_ns()).wakes == 0)
		sched_yield();
	before = worker_stats(clock_now_ns());
	do {
		sched_yield();
		after = worker_stats(clock_now_ns());
	} while (after.wakes - before.wakes < 20);
	cr_assert_geq(after.sleeps - before.sleeps, 18);
	wire_close(&wire);
	close(fd);
}

Test(idle, stopped_worker_is_seen_by_the_age_of_its_last_turn)
{
	struct stw_worker_config config = STW_WORKER_CONFIG_INIT;
	struct stw_worker_stats stats = {0};

	open_with(&config);
	cr_assert_eq(stw_media_worker_stats(wire.media, 0, 1, &stats), -EINVAL);
	stats.struct_size = sizeof(stats);
	cr_assert_eq(stw_media_worker_stats(wire.media, 1, 1, &stats), -EINVAL);
	cr_assert_eq(worker_stats(wire.now_ns).turn_age_ns, 0, "no turn yet");
	wire_poll(&wire);
	cr_assert_eq(worker_stats(wire.now_ns).turn_age_ns, 0);
	cr_assert_eq(worker_stats(wire.now_ns + 5000 * WIRE_MS).turn_age_ns, 5000 * WIRE_MS);
	wire.now_ns += 5000 * WIRE_MS;
	wire_poll(&wire);
	cr_assert_eq(worker_stats(wire.now_ns).turn_age_ns, 0);
	wire_close(&wire);
}

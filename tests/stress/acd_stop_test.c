/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call is stopped after its first instruction, and again after some more, and so on to its last. While it stands,
 * another thread does a whole script on the same house; then the call goes on. Afterwards the engine's data
 * is sound, and everybody who waits is served.
 */
#include <criterion/criterion.h>

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/random.h"
#include "support/step.h"
#include "support/stepper.h"

#define INSTRUCTIONS_MAX 20000 /* no call here is as long */
#define AGENTS           3
#define CONTACTS         6

/* What is stopped: all but the enqueue are about the first contact or the first agent. */
static const enum step_kind stopped_calls[] = {
	STEP_ENQUEUE, STEP_CANCEL, STEP_ACCEPT,    STEP_DECLINE, STEP_END,
	STEP_READY,   STEP_LOGOUT, STEP_NOT_READY, STEP_ADVANCE, STEP_REPRIORITISE,
};

struct scene {
	struct stw_acd *acd;
	struct stw_agent agents[AGENTS];
	struct stw_queue queue;
	struct stw_contact first;
	struct stw_offer offer; /* the last one that rang */
	uint8_t slots;          /* of each agent; 0: one, and no wrap-up */
	uint64_t now_ns;
	uint32_t stop_after;
	struct step step;
};

enum { RUNS, STANDS, GOES_ON, RETURNED };

static _Atomic uint32_t stage;

static void
stage_set(uint32_t value)
{
	atomic_store_explicit(&stage, value, memory_order_release);
	syscall(SYS_futex, &stage, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0);
}

static uint32_t
stand_here(void)
{
	stage_set(STANDS);
	while (atomic_load_explicit(&stage, memory_order_acquire) == STANDS)
		syscall(SYS_futex, &stage, FUTEX_WAIT_PRIVATE, STANDS, NULL, NULL, 0);
	return 0;
}

static void
events_take(struct scene *scene)
{
	struct stw_event events[64];
	int count;

	do {
		count = stw_events_take(scene->acd, events, 64);
		for (int i = 0; i < count; i++) {
			if (events[i].type == STW_EVENT_OFFER)
				scene->offer = events[i].offer;
		}
	} while (count > 0);
}

static struct stw_contact
enqueue(struct scene *scene)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact = {0};

	request.queue = scene->queue;
	stw_contact_enqueue(scene->acd, &request, ++scene->now_ns, &contact);
	return contact;
}

/* One agent is ready or none; the first contact rings, talks or waits as the call needs it. */
static void
scene_open(struct scene *scene, enum step_kind kind, uint32_t stop_after, uint8_t slots)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue = STW_QUEUE_CONFIG_INIT;
	const char *names[AGENTS] = {"a", "b", "c"};
	bool waits = kind == STEP_CANCEL || kind == STEP_REPRIORITISE || kind == STEP_READY;

	*scene = (struct scene){.now_ns = 1000, .stop_after = stop_after, .slots = slots};
	config.agents_max = AGENTS;
	config.queues_max = 1;
	config.contacts_max = CONTACTS;
	config.events_max = 1024;
	queue.name = "q";
	queue.offer_timeout_ns = 1000000;
	queue.wrap_up_ns = slots ? 50 : 0;
	agent.slots[STW_CHANNEL_VOICE] = slots;
	cr_assert_eq(stw_acd_create(&scene->acd, &config), 0);
	cr_assert_eq(stw_queue_define(scene->acd, &queue, &scene->queue), 0);
	for (int a = 0; a < AGENTS; a++) {
		agent.name = names[a];
		cr_assert_eq(stw_agent_define(scene->acd, &agent, &scene->agents[a]), 0);
		stw_agent_login(scene->acd, scene->agents[a], ++scene->now_ns);
	}
	if (!waits)
		stw_agent_ready(scene->acd, scene->agents[0], ++scene->now_ns);
	if (kind != STEP_ENQUEUE)
		scene->first = enqueue(scene);
	if (waits)
		enqueue(scene); /* so that places in the waiting set are used again at once */
	events_take(scene);
	if (kind == STEP_END || (slots && (kind == STEP_LOGOUT || kind == STEP_EXTEND)))
		stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	if (kind == STEP_EXTEND)
		stw_contact_end(scene->acd, scene->first, ++scene->now_ns);
	scene->step = (struct step){.kind = kind,
				    .agent = scene->agents[0].id,
				    .contact = scene->first.id,
				    .number = scene->offer.number,
				    .value = 3,
				    .by_ns = 40,
				    .budget = 10,
				    .now_ns = kind == STEP_ADVANCE ? scene->now_ns + 2000000
								   : scene->now_ns + 10};
	scene->step.request = (struct stw_contact_request)STW_CONTACT_REQUEST_INIT;
	scene->step.request.queue = scene->queue;
}

static void *
stopped_main(void *argument)
{
	struct scene *scene = argument;
	struct stw_agent_status status;

	/* Its first call makes the thread known to liburcu, with signals blocked. */
	stw_agent_status(scene->acd, scene->agents[0], &status);
	stepper_start(scene->stop_after);
	step_engine(scene->acd, NULL, &scene->step);
	stepper_stop();
	stage_set(RETURNED);
	return NULL;
}

/* Contacts come while one rings, so that they take whatever place has just become free. */
static void
short_script(struct scene *scene)
{
	stw_agent_ready(scene->acd, scene->agents[1], ++scene->now_ns);
	enqueue(scene);
	enqueue(scene);
	events_take(scene);
}

/* Agents come and go, contacts come, ring, are answered and go. */
static void
long_script(struct scene *scene)
{
	struct stw_contact contact;

	stw_agent_ready(scene->acd, scene->agents[1], ++scene->now_ns);
	events_take(scene);
	stw_offer_decline(scene->acd, scene->offer, 0, ++scene->now_ns);
	stw_agent_not_ready(scene->acd, scene->agents[1], 0, ++scene->now_ns);
	enqueue(scene);
	contact = enqueue(scene);
	stw_agent_ready(scene->acd, scene->agents[2], ++scene->now_ns);
	stw_contact_reprioritise(scene->acd, contact, 1, 1, ++scene->now_ns);
	events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->offer.contact, ++scene->now_ns);
	stw_agent_not_ready(scene->acd, scene->agents[2], 0, ++scene->now_ns);
	enqueue(scene);
	stw_contact_cancel(scene->acd, contact, ++scene->now_ns);
	enqueue(scene);
}

/* Make everybody ready and answer all that rings until nobody is left. Returns who was never served. */
static uint64_t
serve_all(struct scene *scene)
{
	struct stw_acd_stats stats;

	scene->now_ns += 5000000;
	for (int round = 0; round < 4 * CONTACTS; round++) {
		for (int a = 0; a < AGENTS; a++) {
			struct stw_agent_status status;
			struct stw_contact contact;

			stw_agent_login(scene->acd, scene->agents[a], ++scene->now_ns);
			stw_agent_ready(scene->acd, scene->agents[a], ++scene->now_ns);
			events_take(scene);
			stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
			stw_agent_status(scene->acd, scene->agents[a], &status);
			for (uint32_t i = 0; scene->slots && i < status.connected; i++) {
				contact.id = status.connected_ids[i];
				stw_contact_end(scene->acd, contact, ++scene->now_ns);
			}
			contact.id = status.contact_id;
			if (stw_contact_end(scene->acd, contact, ++scene->now_ns))
				stw_acd_advance(scene->acd, scene->now_ns += 2000000, 10, NULL);
		}
	}
	stw_acd_stats(scene->acd, &stats);
	return stats.contacts;
}

/* Run the call to where it is to be stopped, then the script, then the rest. False: it was over before. */
static bool
run_stopped(struct scene *scene, void (*script)(struct scene *))
{
	pthread_t thread;
	bool stands;

	atomic_store(&stage, RUNS);
	cr_assert_eq(pthread_create(&thread, NULL, stopped_main, scene), 0);
	while (atomic_load_explicit(&stage, memory_order_acquire) == RUNS)
		syscall(SYS_futex, &stage, FUTEX_WAIT_PRIVATE, RUNS, NULL, NULL, 0);
	stands = atomic_load_explicit(&stage, memory_order_acquire) == STANDS;
	if (stands) {
		script(scene);
		stage_set(GOES_ON);
	}
	pthread_join(thread, NULL);
	events_take(scene);
	stw_acd_check(scene->acd);
	return stands;
}

/* Returns false when the call was over before so many instructions. */
static bool
stop_once(enum step_kind kind, uint32_t stop_after, uint8_t slots, void (*script)(struct scene *))
{
	struct scene scene;
	bool stands;

	scene_open(&scene, kind, stop_after, slots);
	stands = run_stopped(&scene, script);
	cr_assert_eq(serve_all(&scene), 0, "call %d stopped after %u instructions", kind,
		     stop_after);
	stw_acd_check(scene.acd);
	stw_acd_destroy(scene.acd);
	return stands;
}

Test(acd_stop, call_stopped_anywhere_loses_nobody)
{
	if (!stepper_install(stand_here))
		return;
	for (size_t i = 0; i < sizeof(stopped_calls) / sizeof(stopped_calls[0]); i++) {
		uint32_t n = 1, stride = (uint32_t)soak_or(7, 1);

		while (n < INSTRUCTIONS_MAX && stop_once(stopped_calls[i], n, 0, short_script) &&
		       stop_once(stopped_calls[i], n, 0, long_script))
			n += stride + (uint32_t)soak_or(n / 32, 0);
		cr_expect_gt(n, 50, "call %d was over at once", stopped_calls[i]);
		cr_log_info("call %d: %u instructions", stopped_calls[i], n);
	}
}

/* The agent of the call, and his contact, are changed in all ways while it stands. */
static void
busy_script(struct scene *scene)
{
	struct stw_agent agent = scene->agents[0];

	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	enqueue(scene);
	events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->first, ++scene->now_ns);
	stw_agent_wrap_up_extend(scene->acd, agent, 30, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->offer.contact, ++scene->now_ns);
	enqueue(scene);
	events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	stw_agent_ready(scene->acd, agent, ++scene->now_ns);
	enqueue(scene);
	stw_agent_logout(scene->acd, agent, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->offer.contact, ++scene->now_ns);
}

/* The contact of the call is answered and over, with no look at its agent in between but his own. */
static void
end_script(struct scene *scene)
{
	stw_contact_end(scene->acd, scene->first, ++scene->now_ns);
	stw_agent_ready(scene->acd, scene->agents[0], ++scene->now_ns);
	enqueue(scene);
	events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
}

static const enum step_kind stopped_calls_of_seats[] = {
	STEP_ENQUEUE, STEP_CANCEL, STEP_ACCEPT,    STEP_DECLINE, STEP_END,
	STEP_READY,   STEP_LOGOUT, STEP_NOT_READY, STEP_ADVANCE, STEP_EXTEND,
};

Test(acd_stop, call_stopped_anywhere_loses_nobody_with_several_slots)
{
	const enum step_kind *calls = stopped_calls_of_seats;

	if (!stepper_install(stand_here))
		return;
	for (size_t i = 0; i < sizeof(stopped_calls_of_seats) / sizeof(calls[0]); i++) {
		uint32_t n = 1, stride = (uint32_t)soak_or(7, 1);

		while (n < INSTRUCTIONS_MAX && stop_once(calls[i], n, 2, busy_script) &&
		       stop_once(calls[i], n, 2, end_script) &&
		       stop_once(calls[i], n, 3, long_script))
			n += stride + (uint32_t)soak_or(n / 32, 0);
		cr_expect_gt(n, 50, "call %d was over at once", calls[i]);
		cr_log_info("call %d: %u instructions", calls[i], n);
	}
}

static void
second_agent_ready(struct scene *scene)
{
	stw_agent_ready(scene->acd, scene->agents[1], scene->now_ns + 20);
}

/* An arrival is about to be given to the first agent; meanwhile the second one gets it. */
Test(acd_stop, agent_who_was_nearly_given_a_contact_has_been_ready_all_along)
{
	bool stands = true;

	if (!stepper_install(stand_here))
		return;
	for (uint32_t n = 1; stands; n += 5) {
		struct stw_agent_status status;
		struct scene scene;

		scene_open(&scene, STEP_ENQUEUE, n, 0);
		stands = run_stopped(&scene, second_agent_ready);
		cr_assert_eq(stw_agent_status(scene.acd, scene.agents[0], &status), 0);
		if (status.state == STW_AGENT_READY)
			cr_assert_eq(status.since_ns, scene.now_ns, "stopped after %u instructions",
				     n);
		stw_acd_destroy(scene.acd);
	}
}

static void
time_passes(struct scene *scene)
{
	for (int i = 0; i < 3; i++)
		stw_acd_advance(scene->acd, ++scene->now_ns, 10, NULL);
}

/* An arrival can be seen, and nobody has been picked for it yet, when another thread lets time pass. */
Test(acd_stop, longest_idle_agent_is_offered_the_contact_though_time_passes)
{
	bool stands = true;

	if (!stepper_install(stand_here))
		return;
	for (uint32_t n = 1; stands; n += 5) {
		struct stw_agent_status longest;
		struct scene scene;

		scene_open(&scene, STEP_ENQUEUE, n, 0);
		stw_agent_not_ready(scene.acd, scene.agents[0], 0, ++scene.now_ns);
		stw_agent_ready(scene.acd, scene.agents[1], ++scene.now_ns);
		stw_agent_ready(scene.acd, scene.agents[0], ++scene.now_ns);
		stands = run_stopped(&scene, time_passes);
		cr_assert_eq(stw_agent_status(scene.acd, scene.agents[1], &longest), 0);
		cr_assert_eq(longest.state, STW_AGENT_OFFERED, "stopped after %u instructions", n);
		stw_acd_destroy(scene.acd);
	}
}

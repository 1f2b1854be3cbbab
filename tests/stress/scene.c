/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The scene: how a call is stopped, and what others do meanwhile.
 */
#include "stress/scene.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RUNS, STANDS, GOES_ON, RETURNED };

static _Atomic uint32_t stage;

static void
stage_set(uint32_t value)
{
	atomic_store_explicit(&stage, value, memory_order_release);
	syscall(SYS_futex, &stage, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0);
}

uint32_t
scene_stand_here(void)
{
	stage_set(STANDS);
	while (atomic_load_explicit(&stage, memory_order_acquire) == STANDS)
		syscall(SYS_futex, &stage, FUTEX_WAIT_PRIVATE, STANDS, NULL, NULL, 0);
	return 0;
}

void
scene_events_take(struct scene *scene)
{
	struct stw_event events[64];
	int count;

	do {
		count = stw_events_take(scene->acd, events, 64);
		for (int i = 0; i < count; i++) {
			scene->told[events[i].type]++;
			if (events[i].type != STW_EVENT_OFFER)
				continue;
			scene->other = scene->offer;
			scene->offer = events[i].offer;
		}
	} while (count > 0);
}

struct stw_contact
scene_enqueue(struct scene *scene)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact = {0};

	request.queue = scene->queue;
	stw_contact_enqueue(scene->acd, &request, ++scene->now_ns, &contact);
	return contact;
}

/* One agent is ready or none, or all where several are rung; the first contact rings, talks or waits as the
 * call needs it. */
void
scene_open(struct scene *scene, enum step_kind kind, uint32_t stop_after, uint8_t slots,
	   uint32_t rings)
{
	struct stw_step_config step = {.ring_count = rings};
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue = STW_QUEUE_CONFIG_INIT;
	const char *names[AGENTS] = {"a", "b", "c"};
	bool waits =
		(kind == STEP_CANCEL && !rings) || kind == STEP_REPRIORITISE || kind == STEP_READY;

	*scene = (struct scene){
		.now_ns = 1000, .stop_after = stop_after, .slots = slots, .rings = rings};
	config.agents_max = AGENTS;
	config.queues_max = 1;
	config.contacts_max = CONTACTS;
	config.events_max = 1024;
	queue.name = "q";
	queue.offer_timeout_ns = 1000000;
	queue.steps = &step;
	queue.steps_count = 1;
	queue.wrap_up_ns = slots ? 50 : 0;
	agent.slots[STW_CHANNEL_VOICE] = slots;
	cr_assert_eq(stw_acd_create(&scene->acd, &config), 0);
	cr_assert_eq(stw_queue_define(scene->acd, &queue, &scene->queue), 0);
	for (int a = 0; a < AGENTS; a++) {
		agent.name = names[a];
		cr_assert_eq(stw_agent_define(scene->acd, &agent, &scene->agents[a]), 0);
		stw_agent_login(scene->acd, scene->agents[a], ++scene->now_ns);
	}
	for (int a = 0; a < (waits ? 0 : rings ? AGENTS : 1); a++)
		stw_agent_ready(scene->acd, scene->agents[a], ++scene->now_ns);
	if (kind != STEP_ENQUEUE)
		scene->first = scene_enqueue(scene);
	if (waits)
		scene_enqueue(scene); /* so that places in the waiting set are used again at once */
	scene_events_take(scene);
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
void
scene_short_script(struct scene *scene)
{
	stw_agent_ready(scene->acd, scene->agents[1], ++scene->now_ns);
	scene_enqueue(scene);
	scene_enqueue(scene);
	scene_events_take(scene);
}

/* Agents come and go, contacts come, ring, are answered and go. */
void
scene_long_script(struct scene *scene)
{
	struct stw_contact contact;

	stw_agent_ready(scene->acd, scene->agents[1], ++scene->now_ns);
	scene_events_take(scene);
	stw_offer_decline(scene->acd, scene->offer, 0, ++scene->now_ns);
	stw_agent_not_ready(scene->acd, scene->agents[1], 0, ++scene->now_ns);
	scene_enqueue(scene);
	contact = scene_enqueue(scene);
	stw_agent_ready(scene->acd, scene->agents[2], ++scene->now_ns);
	stw_contact_reprioritise(scene->acd, contact, 1, 1, ++scene->now_ns);
	scene_events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->offer.contact, ++scene->now_ns);
	stw_agent_not_ready(scene->acd, scene->agents[2], 0, ++scene->now_ns);
	scene_enqueue(scene);
	stw_contact_cancel(scene->acd, contact, ++scene->now_ns);
	scene_enqueue(scene);
}

/* Make everybody ready and answer all that rings until nobody is left. Returns who was never served. */
uint64_t
scene_serve_all(struct scene *scene)
{
	struct stw_acd_stats stats;

	scene->now_ns += 5000000;
	for (int round = 0; round < 4 * CONTACTS; round++) {
		for (int a = 0; a < AGENTS; a++) {
			struct stw_agent_status status;
			struct stw_contact contact;

			stw_agent_login(scene->acd, scene->agents[a], ++scene->now_ns);
			stw_agent_ready(scene->acd, scene->agents[a], ++scene->now_ns);
			scene_events_take(scene);
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

/* Each thing counted was told once. */
void
scene_check_told(struct scene *scene)
{
	const uint64_t *told = scene->told;
	struct stw_acd_stats stats;

	scene_events_take(scene);
	stw_acd_stats(scene->acd, &stats);
	cr_assert_eq(told[STW_EVENT_OFFER], stats.queues.offers);
	cr_assert_eq(told[STW_EVENT_CONNECTED], stats.queues.answered);
	cr_assert_eq(told[STW_EVENT_DECLINED], stats.queues.offers_declined);
	cr_assert_eq(told[STW_EVENT_TIMED_OUT], stats.queues.offers_timed_out);
	cr_assert_eq(told[STW_EVENT_WITHDRAWN], stats.queues.offers_withdrawn);
	cr_assert_eq(told[STW_EVENT_ABANDONED], stats.queues.abandoned);
	cr_assert_eq(told[STW_EVENT_ENDED], stats.queues.ended);
}

/* Run the call to where it is to be stopped, then the script, then the rest. False: it was over before. */
bool
scene_run_stopped(struct scene *scene, void (*script)(struct scene *))
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
	scene_events_take(scene);
	stw_acd_check(scene->acd);
	return stands;
}

/* Returns false when the call was over before so many instructions. */
bool
scene_stop_once(enum step_kind kind, uint32_t stop_after, uint8_t slots, uint32_t rings,
		void (*script)(struct scene *))
{
	struct scene scene;
	bool stands;

	scene_open(&scene, kind, stop_after, slots, rings);
	stands = scene_run_stopped(&scene, script);
	cr_assert_eq(scene_serve_all(&scene), 0, "call %d stopped after %u instructions", kind,
		     stop_after);
	scene_check_told(&scene);
	stw_acd_check(scene.acd);
	stw_acd_destroy(scene.acd);
	return stands;
}

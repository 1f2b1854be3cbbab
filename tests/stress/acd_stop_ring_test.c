/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls are stopped as in acd_stop, where several agents are rung at once.
 */
#include "stress/scene.h"

/* What is stopped: all but the scene_enqueue are about the first contact or the first agent. */
static const enum step_kind stopped_calls[] = {
	STEP_ENQUEUE, STEP_CANCEL, STEP_ACCEPT,    STEP_DECLINE, STEP_END,
	STEP_READY,   STEP_LOGOUT, STEP_NOT_READY, STEP_ADVANCE, STEP_REPRIORITISE,
};

/* Another who is rung is quicker, and the contact is over before the stopped call goes on. */
static void
accept_script(struct scene *scene)
{
	scene_events_take(scene);
	stw_offer_accept(scene->acd, scene->other, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->other.contact, ++scene->now_ns);
	scene_enqueue(scene);
	scene_enqueue(scene);
	scene_events_take(scene);
}

/* The others decline, and the contact is rung again in other places. */
static void
decline_script(struct scene *scene)
{
	scene_events_take(scene);
	stw_offer_decline(scene->acd, scene->other, 0, ++scene->now_ns);
	stw_offer_decline(scene->acd, scene->offer, 0, ++scene->now_ns);
	scene_enqueue(scene);
	scene_events_take(scene);
	stw_offer_decline(scene->acd, scene->other, 0, ++scene->now_ns);
	stw_acd_advance(scene->acd, scene->now_ns += 2000000, 10, NULL);
	scene_events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
}

/* The caller goes, and his slot is another's. */
static void
cancel_script(struct scene *scene)
{
	stw_contact_cancel(scene->acd, scene->first, ++scene->now_ns);
	scene_enqueue(scene);
	stw_agent_not_ready(scene->acd, scene->agents[1], 0, ++scene->now_ns);
	scene_events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
}

Test(acd_stop, call_stopped_anywhere_in_a_ring_loses_nobody)
{
	static void (*const scripts[])(struct scene *) = {scene_short_script, accept_script,
							  decline_script, cancel_script};

	if (!stepper_install(scene_stand_here))
		return;
	for (size_t i = 0; i < sizeof(stopped_calls) / sizeof(stopped_calls[0]); i++) {
		uint32_t n = 1;

		while (n < INSTRUCTIONS_MAX &&
		       scene_stop_once(stopped_calls[i], n, 0, AGENTS, scripts[n % 4]))
			n += (uint32_t)soak_or((61 + n / 32) * SCENE_COARSE, 1);
		cr_expect_gt(n, 50, "call %d was over at once", stopped_calls[i]);
	}
}

/* Who declines has missed it, wherever his call was stopped while another accepted. */
Test(acd_stop, decline_in_a_ring_is_a_miss_wherever_it_is_stopped)
{
	bool stands = true;

	if (!stepper_install(scene_stand_here))
		return;
	for (uint32_t n = 1; stands; n += 11 * SCENE_COARSE) {
		struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
		struct stw_agent_status status;
		struct scene scene;

		scene_open(&scene, STEP_DECLINE, n, 0, AGENTS);
		config.misses_max = 1;
		cr_assert_eq(stw_agent_update(scene.acd, scene.agents[AGENTS - 1], &config,
					      ++scene.now_ns),
			     0);
		stands = scene_run_stopped(&scene, accept_script);
		cr_assert_eq(stw_agent_status(scene.acd, scene.agents[AGENTS - 1], &status), 0);
		cr_assert(scene.step.result || status.reason == STW_REASON_MISSES,
			  "stopped after %u instructions", n);
		stw_acd_destroy(scene.acd);
	}
}

/* Who is ready now wants the very place that the stopped thread may just have taken for another. */
static void
contend_script(struct scene *scene)
{
	struct stw_contact_status first = {.state = STW_CONTACT_WAITING};

	stw_agent_ready(scene->acd, scene->agents[1], ++scene->now_ns);
	stw_contact_status(scene->acd, scene->first, &first);
	cr_assert_eq(first.state, STW_CONTACT_OFFERED, "stopped after %u instructions",
		     scene->stop_after);
}

Test(acd_stop, place_of_a_ring_that_two_want_is_of_one)
{
	bool stands = true;

	if (!stepper_install(scene_stand_here))
		return;
	for (uint32_t n = 1; stands; n += 11 * SCENE_COARSE) {
		struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
		struct scene scene;

		/* The first agent has missed the contact and pauses, so all others come before him. */
		scene_open(&scene, STEP_READY, n, 0, AGENTS);
		config.penalty_ns = 1000000;
		cr_assert_eq(stw_agent_update(scene.acd, scene.agents[0], &config, ++scene.now_ns),
			     0);
		stw_agent_ready(scene.acd, scene.agents[0], ++scene.now_ns);
		scene_events_take(&scene);
		cr_assert_eq(stw_offer_decline(scene.acd, scene.offer, 0, ++scene.now_ns), 0);
		stands = scene_run_stopped(&scene, contend_script);
		cr_assert_eq(scene_serve_all(&scene), 0, "stopped after %u instructions", n);
		scene_check_told(&scene);
		stw_acd_destroy(scene.acd);
	}
}

/* The arrival's first place is taken and not yet joined at some of these instructions. */
Test(acd_stop, place_of_a_ring_taken_by_a_stopped_thread_keeps_nobody)
{
	bool stands = true;

	if (!stepper_install(scene_stand_here))
		return;
	for (uint32_t n = 1; stands && n < 3000; n += 13 * SCENE_COARSE)
		stands = scene_stop_once(STEP_ENQUEUE, n, 0, AGENTS, scene_short_script);
}

/* A contact comes while another's ring ends: that one was before it. */
static void
later_script(struct scene *scene)
{
	struct stw_contact_status first = {.state = STW_CONTACT_WAITING};
	struct stw_contact_status later = {.state = STW_CONTACT_WAITING};
	struct stw_contact contact = scene_enqueue(scene);

	stw_contact_status(scene->acd, contact, &later);
	stw_contact_status(scene->acd, scene->first, &first);
	cr_assert(first.state != STW_CONTACT_WAITING || later.state == STW_CONTACT_WAITING,
		  "overtaken, stopped after %u instructions", scene->stop_after);
}

Test(acd_stop, contact_whose_ring_ends_is_not_overtaken)
{
	bool stands = true;

	if (!stepper_install(scene_stand_here))
		return;
	for (uint32_t n = 1; stands && n < 5000; n += 37 * SCENE_COARSE) {
		struct scene scene;

		scene_open(&scene, STEP_ADVANCE, n, 0, AGENTS);
		stands = scene_run_stopped(&scene, later_script);
		stw_acd_destroy(scene.acd);
	}
}

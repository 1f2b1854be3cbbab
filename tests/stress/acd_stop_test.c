/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call is stopped after its first instruction, and again after some more, and so on to its last. While it stands,
 * another thread does a whole script on the same house; then the call goes on. Afterwards the engine's data
 * is sound, and everybody who waits is served.
 */
#include "stress/scene.h"

/* What is stopped: all but the scene_enqueue are about the first contact or the first agent. */
static const enum step_kind stopped_calls[] = {
	STEP_ENQUEUE, STEP_CANCEL, STEP_ACCEPT,    STEP_DECLINE, STEP_END,
	STEP_READY,   STEP_LOGOUT, STEP_NOT_READY, STEP_ADVANCE, STEP_REPRIORITISE,
};

Test(acd_stop, call_stopped_anywhere_loses_nobody)
{
	if (!stepper_install(scene_stand_here))
		return;
	for (size_t i = 0; i < sizeof(stopped_calls) / sizeof(stopped_calls[0]); i++) {
		uint32_t n = 1, stride = (uint32_t)soak_or(7 * SCENE_COARSE, 1);

		while (n < INSTRUCTIONS_MAX &&
		       scene_stop_once(stopped_calls[i], n, 0, 0, scene_short_script) &&
		       scene_stop_once(stopped_calls[i], n, 0, 0, scene_long_script))
			n += stride + (uint32_t)soak_or(n * SCENE_COARSE / 32, 0);
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
	scene_enqueue(scene);
	scene_events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->first, ++scene->now_ns);
	stw_agent_wrap_up_extend(scene->acd, agent, 30, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->offer.contact, ++scene->now_ns);
	scene_enqueue(scene);
	scene_events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	stw_agent_ready(scene->acd, agent, ++scene->now_ns);
	scene_enqueue(scene);
	stw_agent_logout(scene->acd, agent, ++scene->now_ns);
	stw_contact_end(scene->acd, scene->offer.contact, ++scene->now_ns);
}

/* The contact of the call is answered and over, with no look at its agent in between but his own. */
static void
end_script(struct scene *scene)
{
	stw_contact_end(scene->acd, scene->first, ++scene->now_ns);
	stw_agent_ready(scene->acd, scene->agents[0], ++scene->now_ns);
	scene_enqueue(scene);
	scene_events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
}

static const enum step_kind stopped_calls_of_seats[] = {
	STEP_ENQUEUE, STEP_CANCEL, STEP_ACCEPT,    STEP_DECLINE, STEP_END,
	STEP_READY,   STEP_LOGOUT, STEP_NOT_READY, STEP_ADVANCE, STEP_EXTEND,
};

Test(acd_stop, call_stopped_anywhere_loses_nobody_with_several_slots)
{
	const enum step_kind *calls = stopped_calls_of_seats;

	if (!stepper_install(scene_stand_here))
		return;
	for (size_t i = 0; i < sizeof(stopped_calls_of_seats) / sizeof(calls[0]); i++) {
		uint32_t n = 1, stride = (uint32_t)soak_or(7 * SCENE_COARSE, 1);

		while (n < INSTRUCTIONS_MAX && scene_stop_once(calls[i], n, 2, 0, busy_script) &&
		       scene_stop_once(calls[i], n, 2, 0, end_script) &&
		       scene_stop_once(calls[i], n, 3, 0, scene_long_script))
			n += stride + (uint32_t)soak_or(n * SCENE_COARSE / 32, 0);
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

	if (!stepper_install(scene_stand_here))
		return;
	for (uint32_t n = 1; stands; n += 5 * SCENE_COARSE) {
		struct stw_agent_status status;
		struct scene scene;

		scene_open(&scene, STEP_ENQUEUE, n, 0, 0);
		stands = scene_run_stopped(&scene, second_agent_ready);
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

	if (!stepper_install(scene_stand_here))
		return;
	for (uint32_t n = 1; stands; n += 5 * SCENE_COARSE) {
		struct stw_agent_status longest;
		struct scene scene;

		scene_open(&scene, STEP_ENQUEUE, n, 0, 0);
		stw_agent_not_ready(scene.acd, scene.agents[0], 0, ++scene.now_ns);
		stw_agent_ready(scene.acd, scene.agents[1], ++scene.now_ns);
		stw_agent_ready(scene.acd, scene.agents[0], ++scene.now_ns);
		stands = scene_run_stopped(&scene, time_passes);
		cr_assert_eq(stw_agent_status(scene.acd, scene.agents[1], &longest), 0);
		cr_assert_eq(longest.state, STW_AGENT_OFFERED, "stopped after %u instructions", n);
		stw_acd_destroy(scene.acd);
	}
}

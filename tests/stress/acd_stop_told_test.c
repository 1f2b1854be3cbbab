/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call is stopped after its first instruction, and again after some more, and so on to its last. While it stands,
 * another thread's call is told what the first has changed; what follows must go by it, though the first call has
 * not come to all that belongs to the change.
 */
#include <errno.h>

#include "stress/scene.h"

static enum stw_agent_state
state_of(struct scene *scene, uint32_t a)
{
	struct stw_agent_status status;

	cr_assert_eq(stw_agent_status(scene->acd, scene->agents[a], &status), 0);
	return status.state;
}

/* Stop what `open` sets up everywhere. The script checks what it finds; `check`, if there is one, what there is after the
 * call that was stopped. */
static void
stop_everywhere(void (*open)(struct scene *, uint32_t), void (*script)(struct scene *),
		void (*check)(struct scene *))
{
	bool stands = true;
	uint32_t n = 1;

	if (!stepper_install(scene_stand_here))
		return;
	for (; stands && n < INSTRUCTIONS_MAX; n += (uint32_t)soak_or(7 * SCENE_COARSE, 1)) {
		struct scene scene;

		open(&scene, n);
		stands = scene_run_stopped(&scene, script);
		if (stands && check)
			check(&scene);
		cr_assert_eq(stw_acd_check(scene.acd), 0);
		stw_acd_destroy(scene.acd);
	}
	cr_expect_gt(n, 50, "the call was over at once");
}

/* The first agent rings; the call makes the second one ready. */
static void
ready_open(struct scene *scene, uint32_t stop_after)
{
	scene_open(scene, STEP_READY, stop_after, 0, 0);
	stw_contact_cancel(scene->acd, scene->first, ++scene->now_ns);
	stw_agent_ready(scene->acd, scene->agents[0], ++scene->now_ns);
	scene_events_take(scene);
	cr_assert_eq(state_of(scene, 0), STW_AGENT_OFFERED);
	scene->step.agent = scene->agents[1].id;
}

static void
ready_script(struct scene *scene)
{
	int told = stw_agent_ready(scene->acd, scene->agents[1], ++scene->now_ns);

	cr_assert(told == 0 || told == -EALREADY);
	cr_assert_eq(stw_offer_decline(scene->acd, scene->offer, 0, ++scene->now_ns), 0);
	cr_assert_eq(state_of(scene, 1), STW_AGENT_OFFERED,
		     "stopped after %u instructions, told %d: who missed it is asked again",
		     scene->stop_after, told);
}

Test(acd_stop_told, agent_told_to_be_ready_is_asked_before_who_missed_the_contact)
{
	stop_everywhere(ready_open, ready_script, NULL);
}

/* The queue holds one; it rings, and the call declines it. Its agent is not ready after that. */
static void
decline_open(struct scene *scene, uint32_t stop_after)
{
	struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue = STW_QUEUE_CONFIG_INIT;

	scene_open(scene, STEP_DECLINE, stop_after, 0, 0);
	agent.name = "a";
	agent.misses_max = 1;
	cr_assert_eq(stw_agent_update(scene->acd, scene->agents[0], &agent, ++scene->now_ns), 0);
	queue.name = "q";
	queue.length_max = 1;
	cr_assert_eq(stw_queue_update(scene->acd, scene->queue, &queue, ++scene->now_ns), 0);
}

static void
decline_script(struct scene *scene)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	int told = stw_offer_decline(scene->acd, scene->offer, 0, ++scene->now_ns);

	cr_assert(told == 0 || told == -ESTALE);
	request.queue = scene->queue;
	cr_assert_eq(stw_contact_enqueue(scene->acd, &request, ++scene->now_ns, &contact), -ENOSPC,
		     "stopped after %u instructions, told %d: more wait than the queue holds",
		     scene->stop_after, told);
}

Test(acd_stop_told, contact_told_to_be_declined_takes_its_place_in_the_queue)
{
	stop_everywhere(decline_open, decline_script, NULL);
}

#define WRAP_UP_NS 1000

/* The first agent's wrap-up ends 10 ns before the second one's. The call extends it by 40 ns. */
static void
extend_open(struct scene *scene, uint32_t stop_after)
{
	struct stw_queue_config queue = STW_QUEUE_CONFIG_INIT;
	struct stw_contact second;

	scene_open(scene, STEP_EXTEND, stop_after, 0, 0);
	queue.name = "q";
	queue.wrap_up_ns = WRAP_UP_NS;
	cr_assert_eq(stw_queue_update(scene->acd, scene->queue, &queue, ++scene->now_ns), 0);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	stw_agent_ready(scene->acd, scene->agents[1], ++scene->now_ns);
	second = scene_enqueue(scene);
	scene_events_take(scene);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	cr_assert_eq(stw_contact_end(scene->acd, scene->first, ++scene->now_ns), 0);
	cr_assert_eq(stw_contact_end(scene->acd, second, scene->now_ns += 10), 0);
	scene_enqueue(scene);
	scene->step.now_ns = scene->now_ns;
}

/* Extended again, by who is told that it was done. So the second agent's wrap-up ends first. */
static void
extend_script(struct scene *scene)
{
	cr_assert_eq(stw_agent_wrap_up_extend(scene->acd, scene->agents[0], 40, scene->now_ns), 0);
	scene->now_ns += 2 * WRAP_UP_NS;
	cr_assert_eq(stw_acd_advance(scene->acd, scene->now_ns, 10, NULL), 2);
	cr_assert_eq(state_of(scene, 1), STW_AGENT_OFFERED,
		     "stopped after %u instructions: a wrap-up that ends later was ended first",
		     scene->stop_after);
}

Test(acd_stop_told, wrap_up_extended_ends_in_its_turn)
{
	stop_everywhere(extend_open, extend_script, NULL);
}

#define ASKED_BEFORE 3
#define ASKED_NOW    7

static uint32_t told_reason;

/* The first agent talks and has asked for a pause; the call asks for another one. */
static void
pause_open(struct scene *scene, uint32_t stop_after)
{
	scene_open(scene, STEP_NOT_READY, stop_after, 0, 0);
	stw_offer_accept(scene->acd, scene->offer, ++scene->now_ns);
	cr_assert_eq(
		stw_agent_not_ready(scene->acd, scene->agents[0], ASKED_BEFORE, ++scene->now_ns),
		0);
	scene_events_take(scene);
	scene->step.reason = ASKED_NOW;
}

/* The call is over, and so is the pause. */
static void
pause_script(struct scene *scene)
{
	struct stw_event events[16];
	int count;

	cr_assert_eq(stw_contact_end(scene->acd, scene->first, ++scene->now_ns), 0);
	count = stw_events_take(scene->acd, events, 16);
	for (int i = 0; i < count; i++) {
		if (events[i].type == STW_EVENT_AGENT_STATE)
			told_reason = events[i].reason;
	}
	cr_assert_eq(stw_agent_ready(scene->acd, scene->agents[0], ++scene->now_ns), 0);
}

/* Either the call came before the contact's end, or after all. */
static void
pause_check(struct scene *scene)
{
	bool came_after = state_of(scene, 0) == STW_AGENT_NOT_READY;

	cr_assert_eq(told_reason, came_after ? ASKED_BEFORE : ASKED_NOW,
		     "stopped after %u instructions, told reason %u", scene->stop_after,
		     told_reason);
}

Test(acd_stop_told, pause_is_told_with_the_reason_it_was_asked_for)
{
	stop_everywhere(pause_open, pause_script, pause_check);
}

/* All contacts are known: the first talks, another rings, the others wait, and one more may wait. The call enqueues. */
static void
full_open(struct scene *scene, uint32_t stop_after)
{
	struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue = STW_QUEUE_CONFIG_INIT;

	scene_open(scene, STEP_END, stop_after, 0, 0);
	agent.name = "b";
	agent.misses_max = 1;
	cr_assert_eq(stw_agent_update(scene->acd, scene->agents[1], &agent, ++scene->now_ns), 0);
	stw_agent_ready(scene->acd, scene->agents[1], ++scene->now_ns);
	for (int i = 1; i < CONTACTS; i++)
		scene_enqueue(scene);
	scene_events_take(scene);
	queue.name = "q";
	queue.length_max = CONTACTS - 1;
	cr_assert_eq(stw_queue_update(scene->acd, scene->queue, &queue, ++scene->now_ns), 0);
	cr_assert_eq(stw_agent_not_ready(scene->acd, scene->agents[0], 0, ++scene->now_ns), 0);
	scene->step.kind = STEP_ENQUEUE;
	scene->step.now_ns = ++scene->now_ns;
}

/* First the queue is full, too, then only the queue. */
static void
full_script(struct scene *scene)
{
	cr_assert_eq(stw_offer_decline(scene->acd, scene->offer, 0, ++scene->now_ns), 0);
	cr_assert_eq(stw_contact_end(scene->acd, scene->first, ++scene->now_ns), 0);
}

static void
full_check(struct scene *scene)
{
	cr_assert_eq(scene->step.result, -ENOSPC,
		     "stopped after %u instructions: let in, though there was no room at any time",
		     scene->stop_after);
}

Test(acd_stop_told, contact_comes_only_when_engine_and_queue_have_room_at_one_time)
{
	stop_everywhere(full_open, full_script, full_check);
}

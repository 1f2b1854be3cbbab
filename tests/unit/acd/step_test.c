/* SPDX-License-Identifier: BSD-3-Clause */
#include "acd/engine.h"

#include "house.h"

#define STEPS_MAX STW_QUEUE_STEPS_MAX

TestSuite(step, .init = house_open, .fini = house_close);

static struct stw_skill_level levels[STEPS_MAX];

/* A step that asks for a skill, or for nothing. */
static struct stw_step_config
step_for(uint32_t k, const char *skill, uint64_t after_ns)
{
	struct stw_step_config step = {.after_ns = after_ns};

	if (skill) {
		levels[k] = (struct stw_skill_level){skill_of(skill), 50};
		step.terms = &levels[k];
		step.terms_count = 1;
	}
	return step;
}

static struct stw_queue_config
config_of(const struct stw_step_config *steps, uint32_t count)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.steps = steps;
	config.steps_count = count;
	config.offer_timeout_ns = 0;
	return config;
}

static uint32_t
step_of(struct stw_contact contact)
{
	struct stw_contact_status status;

	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	return status.step;
}

static uint64_t
let_pass(uint64_t by_ns)
{
	uint64_t next_ns;

	now += by_ns;
	cr_assert_geq(stw_acd_advance(house, now, 1000, &next_ns), 0);
	stw_acd_check(house);
	return next_ns;
}

Test(step, ten_steps_open_one_after_the_other_in_time)
{
	struct stw_step_config steps[STEPS_MAX];
	struct stw_agent agents[STEPS_MAX];
	struct stw_contact contact;
	char name[8];

	for (uint32_t k = 0; k < STEPS_MAX; k++) {
		snprintf(name, sizeof(name), "s%u", k % 8);
		steps[k] = step_for(k, name, k * SECOND);
		levels[k].level = (uint8_t)(10 + k);
	}
	contact = enqueue(queue_with(config_of(steps, STEPS_MAX), "sales", NULL));
	for (uint32_t k = 1; k < STEPS_MAX; k++) {
		struct stw_agent_config config = STW_AGENT_CONFIG_INIT;

		cr_assert_eq(let_pass(SECOND - 1), now + 1, "the next step's time is told");
		cr_assert_eq(step_of(contact), k - 1);
		cr_assert_eq(let_pass(1), k + 1 < STEPS_MAX ? now + SECOND : UINT64_MAX);
		cr_assert_eq(step_of(contact), k);
		snprintf(name, sizeof(name), "a%u", k);
		if (k + 1 == STEPS_MAX) {
			config.name = name;
			config.skills = &levels[k];
			config.skills_count = 1;
			cr_assert_eq(stw_agent_define(house, &config, &agents[k]), 0);
			make_ready(agents[k]);
		}
	}
	cr_assert_eq(agent_id_of(contact), agents[STEPS_MAX - 1].id);
	cr_assert_eq(await(STW_EVENT_OFFER).step, STEPS_MAX - 1);
}

Test(step, opening_offers_at_once_and_keeps_the_agents_of_the_steps_before)
{
	struct stw_step_config steps[2] = {step_for(0, "expert", 0), step_for(1, NULL, SECOND)};
	struct stw_queue queue = queue_with(config_of(steps, 2), "sales", NULL);
	struct stw_agent novice = ready_agent("novice", NULL);
	struct stw_contact first = enqueue(queue), second = enqueue(queue);
	struct stw_agent expert;

	cr_assert_eq(agent_id_of(first), 0);
	let_pass(SECOND);
	cr_assert_eq(agent_id_of(first), novice.id);
	cr_assert_eq(step_of(second), 1);
	expert = ready_agent("expert", "expert");
	cr_assert_eq(agent_id_of(second), expert.id);
}

Test(step, agents_of_an_earlier_step_come_before_those_who_are_idle_for_longer)
{
	struct stw_step_config steps[2] = {step_for(0, "expert", 0), step_for(1, NULL, 0)};
	struct stw_queue queue = queue_with(config_of(steps, 2), "sales", NULL);
	struct stw_agent novice = ready_agent("novice", NULL);
	struct stw_agent expert;
	struct stw_contact first, second;

	now += SECOND;
	expert = ready_agent("expert", "expert");
	first = enqueue(queue);
	cr_assert_eq(agent_id_of(first), expert.id);
	cr_assert_eq(step_of(first), 0);
	second = enqueue(queue);
	cr_assert_eq(agent_id_of(second), novice.id);
	cr_assert_eq(step_of(second), 1, "a step without a wait opens when nobody is found");
}

Test(step, rank_and_not_step_decides_who_is_served_first)
{
	struct stw_step_config steps[2] = {step_for(0, "expert", 0), step_for(1, NULL, SECOND)};
	struct stw_queue_config config = config_of(steps, 2);
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact early, late;
	struct stw_agent expert;
	struct stw_queue queue;

	config.target_ns[1][0] = -10 * (int64_t)SECOND;
	queue = queue_with(config, "sales", NULL);
	early = enqueue(queue);
	let_pass(SECOND);
	cr_assert_eq(step_of(early), 1);
	request.value = 1;
	late = enqueue_with(request, queue);
	expert = ready_agent("expert", "expert");
	cr_assert_eq(agent_id_of(late), expert.id);
	cr_assert_eq(agent_id_of(early), 0);
}

Test(step, missed_contact_keeps_its_step_and_goes_on_widening)
{
	struct stw_step_config steps[3] = {step_for(0, "expert", 0), step_for(1, "b", SECOND),
					   step_for(2, NULL, 3 * SECOND)};
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue queue = queue_with(config_of(steps, 3), "sales", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_agent bob;

	let_pass(SECOND);
	config.misses_max = 1;
	bob = agent_with(config, "bob", "b");
	make_ready(bob);
	cr_assert_eq(agent_id_of(contact), bob.id);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(step_of(contact), 1);
	cr_assert_eq(let_pass(0), now + 2 * SECOND);
	let_pass(2 * SECOND);
	cr_assert_eq(step_of(contact), 2);
}

Test(step, reprioritised_contact_keeps_its_step)
{
	struct stw_step_config steps[2] = {step_for(0, "expert", 0), step_for(1, NULL, SECOND)};
	struct stw_queue queue = queue_with(config_of(steps, 2), "sales", NULL);
	struct stw_contact contact = enqueue(queue);

	cr_assert_eq(stw_contact_reprioritise(house, contact, 3, 3, now), 0);
	stw_acd_check(house);
	cr_assert_eq(step_of(contact), 0);
	cr_assert_eq(let_pass(SECOND), UINT64_MAX);
	cr_assert_eq(step_of(contact), 1);
	cr_assert_eq(stw_contact_reprioritise(house, contact, 5, 5, now), 0);
	stw_acd_check(house);
	cr_assert_eq(step_of(contact), 1);
	cr_assert_eq(agent_id_of(contact), 0);
	ready_agent("novice", NULL);
	cr_assert_neq(agent_id_of(contact), 0);
}

Test(step, opens_when_nobody_of_those_before_is_logged_in)
{
	struct stw_step_config steps[2] = {step_for(0, "expert", 0),
					   step_for(1, NULL, STW_STEP_NEVER)};
	struct stw_agent expert = agent_of("expert", "expert");
	struct stw_contact first, second, third;
	struct stw_queue queue;

	steps[1].when = STW_STEP_WHEN_NOBODY_LOGGED_IN;
	queue = queue_with(config_of(steps, 2), "sales", NULL);
	first = enqueue(queue);
	cr_assert_eq(step_of(first), 1);
	cr_assert_eq(stw_agent_login(house, expert, now), 0);
	second = enqueue(queue);
	third = enqueue(queue);
	cr_assert_eq(step_of(second), 0);
	cr_assert_eq(let_pass(1000 * SECOND), UINT64_MAX);
	cr_assert_eq(stw_agent_logout(house, expert, now), 0);
	stw_acd_check(house);
	cr_assert_eq(step_of(second), 1, "the logout opens the step to all who wait");
	cr_assert_eq(step_of(third), 1);
}

Test(step, opens_when_all_of_those_before_are_not_ready)
{
	struct stw_step_config steps[2] = {step_for(0, "expert", 0),
					   step_for(1, NULL, STW_STEP_NEVER)};
	struct stw_agent expert = ready_agent("expert", "expert");
	struct stw_agent novice = ready_agent("novice", NULL);
	struct stw_contact first, second;
	struct stw_queue queue;

	steps[1].when = STW_STEP_WHEN_ALL_NOT_READY;
	queue = queue_with(config_of(steps, 2), "sales", NULL);
	first = enqueue(queue);
	cr_assert_eq(agent_id_of(first), expert.id);
	second = enqueue(queue);
	cr_assert_eq(agent_id_of(second), 0, "who has a contact works");
	cr_assert_eq(stw_agent_not_ready(house, expert, 1, now), 0);
	cr_assert_eq(step_of(second), 0);
	accept_next();
	end(first);
	stw_acd_check(house);
	cr_assert_eq(state_of(expert), STW_AGENT_NOT_READY);
	cr_assert_eq(agent_id_of(second), novice.id);
	cr_assert_eq(step_of(second), 1);
}

Test(step, opens_when_the_next_one_waits_above_a_bound)
{
	struct stw_step_config steps[2] = {step_for(0, "expert", 0),
					   step_for(1, NULL, STW_STEP_NEVER)};
	struct stw_contact first, second;
	struct stw_queue queue;

	steps[1].when = STW_STEP_WHEN_WAIT_ABOVE;
	steps[1].wait_bound_ns = SECOND;
	queue = queue_with(config_of(steps, 2), "sales", NULL);
	first = enqueue(queue);
	now += SECOND;
	second = enqueue(queue);
	cr_assert_eq(step_of(second), 0);
	now++;
	for (int i = 0; i < 100; i++)
		let_pass(0);
	cr_assert_eq(step_of(first), 1);
	cr_assert_eq(step_of(second), 0, "now it is the next one and has not waited");
}

Test(step, many_waiting_contacts_are_widened_by_the_calls_that_follow)
{
	struct stw_step_config steps[2] = {step_for(0, "expert", 0),
					   step_for(1, NULL, STW_STEP_NEVER)};
	struct stw_agent expert = agent_of("expert", "expert");
	struct stw_contact contacts[100];
	struct stw_queue queue;

	steps[1].when = STW_STEP_WHEN_NOBODY_LOGGED_IN;
	queue = queue_with(config_of(steps, 2), "sales", NULL);
	cr_assert_eq(stw_agent_login(house, expert, now), 0);
	for (int i = 0; i < 100; i++)
		contacts[i] = enqueue(queue);
	cr_assert_eq(stw_agent_logout(house, expert, now), 0);
	cr_assert_eq(step_of(contacts[0]), 1);
	let_pass(0);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(step_of(contacts[i]), 1);
}

Test(step, update_moves_those_who_wait)
{
	struct stw_step_config steps[3] = {step_for(0, "a", 0), step_for(1, "b", SECOND),
					   step_for(2, "c", 2 * SECOND)};
	struct stw_queue_config config = config_of(steps, 3);
	struct stw_queue queue = queue_with(config, "sales", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_agent bob;

	let_pass(2 * SECOND);
	cr_assert_eq(step_of(contact), 2);
	config.steps_count = 1;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(step_of(contact), 0);
	bob = ready_agent("bob", "b");
	cr_assert_eq(agent_id_of(contact), 0);
	config.steps_count = 3;
	steps[2].after_ns = 5 * SECOND;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(step_of(contact), 0, "time opens steps when it passes");
	cr_assert_eq(let_pass(0), UINT64_MAX);
	cr_assert_eq(agent_id_of(contact), bob.id);
}

Test(step, update_sets_the_timers_of_those_who_wait_anew)
{
	struct stw_step_config steps[2] = {step_for(0, "a", 0), step_for(1, "b", 9 * SECOND)};
	struct stw_queue_config config = config_of(steps, 2);
	struct stw_queue queue = queue_with(config, "sales", NULL);
	struct stw_contact contact = enqueue(queue);

	cr_assert_eq(let_pass(0), now + 9 * SECOND);
	steps[1].after_ns = 2 * SECOND;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	cr_assert_eq(let_pass(0), now + 2 * SECOND);
	let_pass(2 * SECOND);
	cr_assert_eq(step_of(contact), 1);
}

Test(step, offered_contact_comes_back_to_the_steps_that_there_are)
{
	struct stw_step_config steps[2] = {step_for(0, "a", 0), step_for(1, "b", 0)};
	struct stw_queue_config config = config_of(steps, 2);
	struct stw_queue queue = queue_with(config, "sales", NULL);
	struct stw_agent bob = ready_agent("bob", "b");
	struct stw_contact contact = enqueue(queue);

	cr_assert_eq(step_of(contact), 1);
	config.steps_count = 1;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(step_of(contact), 0);
	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(state_of(bob), STW_AGENT_READY);
}

Test(step, skills_changed_at_work_lead_to_other_steps)
{
	struct stw_step_config steps[2] = {step_for(0, "a", 0), step_for(1, NULL, STW_STEP_NEVER)};
	struct stw_agent_config plain = STW_AGENT_CONFIG_INIT;
	struct stw_agent ann = ready_agent("ann", "a"), bob = agent_of("bob", "a");
	struct stw_contact first, second;
	struct stw_queue queue;

	steps[1].when = STW_STEP_WHEN_NOBODY_LOGGED_IN;
	queue = queue_with(config_of(steps, 2), "sales", NULL);
	first = enqueue(queue);
	second = enqueue(queue);
	cr_assert_eq(agent_id_of(first), ann.id);
	cr_assert_eq(step_of(second), 0);
	cr_assert_eq(stw_agent_update(house, ann, &plain, now), 0);
	stw_acd_check(house);
	cr_assert_eq(step_of(second), 1);
	cr_assert_eq(stw_agent_update(house, bob, &plain, now), 0);
	stw_acd_check(house);
}

Test(step, full_table_of_steps_refuses_and_changes_nothing)
{
	struct stw_step_config steps[3] = {step_for(0, "a", 0), step_for(1, "b", 0),
					   step_for(2, "c", 0)};
	struct stw_acd_config small = STW_ACD_CONFIG_INIT;
	struct stw_queue_config config = config_of(steps, 3);
	struct stw_queue first, second = {9};

	house_close();
	small.queues_max = 3;
	small.steps_max = 5;
	house_open_with(&small);
	for (uint32_t k = 0; k < 3; k++)
		steps[k] = step_for(k, "a", 0);
	first = queue_with(config, "first", NULL);
	config.name = "second";
	for (int i = 0; i < 10; i++)
		cr_assert_eq(stw_queue_define(house, &config, &second), -ENOSPC);
	cr_assert_eq(second.id, 9);
	config.steps_count = 2;
	cr_assert_eq(stw_queue_define(house, &config, &second), 0);
	config.steps_count = 3;
	cr_assert_eq(stw_queue_update(house, second, &config, now), -ENOSPC);
	stw_acd_check(house);
	cr_assert_eq(stw_queue_remove(house, first), 0);
	cr_assert_eq(stw_queue_update(house, second, &config, now), 0);
	stw_acd_check(house);
}

Test(step, fields_outside_their_ranges_are_refused)
{
	struct stw_step_config steps[2] = {step_for(0, "a", 0), step_for(1, "b", 0)};
	struct stw_queue_config config = config_of(steps, 2);
	struct stw_queue queue = {9};

	config.name = "sales";
	steps[0].after_ns = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	steps[0].after_ns = 0;
	steps[0].when = STW_STEP_WHEN_NOBODY_LOGGED_IN;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	steps[0].when = STW_STEP_WHEN_TIME;
	steps[1].after_ns = (UINT64_C(1) << 61) + 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	steps[1].after_ns = STW_STEP_NEVER;
	steps[1].wait_bound_ns = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	steps[1].when = STW_STEP_WHEN_WAIT_ABOVE;
	steps[1].wait_bound_ns = (UINT64_C(1) << 61) + 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	steps[1].wait_bound_ns = 0;
	steps[1].when = (enum stw_step_when)(STW_STEP_WHEN_WAIT_ABOVE + 1);
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	steps[1].when = STW_STEP_WHEN_TIME;
	levels[1].level = 0;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	levels[1].level = 1;
	levels[1].skill.id++;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -ESTALE);
	levels[1].skill.id--;
	cr_assert_eq(queue.id, 9);
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
}

/* Who configures may be stopped for ever between the agent's bits and the step's. */
Test(step, agent_without_his_own_bits_is_given_what_he_was_picked_for)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct acd_agent_description *agent = acd_agent_description(house, (uint32_t)ann.id);
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	uint32_t bits = atomic_exchange(&agent->sets[0], 0);

	request.queue = queue;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), 0);
	cr_assert_eq(agent_id_of(contact), ann.id);
	atomic_store(&agent->sets[0], bits);
	stw_acd_check(house);
}

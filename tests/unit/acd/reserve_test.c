/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

TestSuite(reserve, .init = house_open, .fini = house_close);

static struct stw_queue
queue_keeping(uint32_t agents, uint8_t value)
{
	struct stw_step_config step = {.reserve_agents = agents, .reserve_value = value};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = {0};

	config.name = "sales";
	config.steps = &step;
	config.steps_count = 1;
	config.offer_timeout_ns = 0;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	return queue;
}

static struct stw_contact
enqueue_of(uint8_t value, struct stw_queue queue)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;

	request.value = value;
	return enqueue_with(request, queue);
}

static struct stw_agent agents[4];

static void
make_agents(uint32_t count)
{
	char name[8];

	for (uint32_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		agents[i] = ready_agent(name, NULL);
		now++;
	}
}

Test(reserve, is_kept_for_contacts_of_the_value_and_above)
{
	struct stw_queue queue = queue_keeping(2, 5);
	struct stw_contact low, high;

	make_agents(3);
	low = enqueue_of(4, queue);
	cr_assert_eq(agent_id_of(low), agents[0].id, "three are ready, two are kept");
	low = enqueue_of(0, queue);
	cr_assert_eq(agent_id_of(low), 0);
	high = enqueue_of(5, queue);
	cr_assert_eq(agent_id_of(high), agents[1].id);
	high = enqueue_of(15, queue);
	cr_assert_eq(agent_id_of(high), agents[2].id);
	cr_assert_eq(agent_id_of(low), 0);
}

Test(reserve, who_makes_it_exceeded_frees_the_longest_idle_for_those_who_wait)
{
	struct stw_queue queue = queue_keeping(1, 5);
	struct stw_contact low;

	make_agents(1);
	low = enqueue_of(0, queue);
	cr_assert_eq(agent_id_of(low), 0);
	agents[1] = ready_agent("late", NULL);
	cr_assert_eq(agent_id_of(low), agents[0].id, "the policy chooses of the whole step");
	cr_assert_eq(state_of(agents[1]), STW_AGENT_READY);
}

Test(reserve, of_one_step_leaves_the_next_step_alone)
{
	struct stw_skill_level expert = {skill_of("expert"), 50};
	struct stw_step_config steps[2] = {
		{.terms = &expert, .terms_count = 1, .reserve_agents = 1, .reserve_value = 1},
		{.after_ns = 0}};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent only_expert = ready_agent("expert", "expert"), novice;
	struct stw_contact low, high;
	struct stw_queue queue;

	now++;
	novice = ready_agent("novice", NULL);
	config.name = "sales";
	config.steps = steps;
	config.steps_count = 2;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	low = enqueue_of(0, queue);
	cr_assert_eq(agent_id_of(low), only_expert.id,
		     "the second step asks nothing and keeps nobody");
	high = enqueue_of(1, queue);
	cr_assert_eq(agent_id_of(high), novice.id);
}

Test(reserve, bounds_of_several_steps_make_lanes)
{
	struct stw_step_config steps[3] = {{.reserve_agents = 1, .reserve_value = 5},
					   {.reserve_agents = 2, .reserve_value = 10},
					   {.reserve_agents = 3, .reserve_value = 5}};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_acd_config small = STW_ACD_CONFIG_INIT;
	struct stw_queue queue;

	house_close();
	small.queues_max = 1;
	small.steps_max = 7; /* 2 + 3 + 3 are wanted */
	house_open_with(&small);
	config.name = "sales";
	config.steps = steps;
	config.steps_count = 3;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -ENOSPC);
	house_close();
	small.steps_max = 8;
	house_open_with(&small);
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	stw_acd_check(house);
	for (uint8_t value = 0; value < STW_CLASS_COUNT; value++)
		enqueue_of(value, queue);
	make_agents(1);
	cr_assert_eq(await(STW_EVENT_OFFER).value, 5, "the first whom the reserve is kept for");
}

Test(reserve, class_that_rises_above_the_bound_is_served_at_once)
{
	struct stw_queue queue = queue_keeping(1, 5);
	struct stw_contact low;

	make_agents(1);
	low = enqueue_of(0, queue);
	cr_assert_eq(agent_id_of(low), 0);
	cr_assert_eq(stw_contact_reprioritise(house, low, 5, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(low), agents[0].id);
}

Test(reserve, update_moves_those_who_wait_to_the_new_lanes)
{
	struct stw_queue queue = queue_keeping(1, 5);
	struct stw_step_config step = {.reserve_agents = 1, .reserve_value = 3};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact low, middle;

	config.steps = &step;
	config.steps_count = 1;
	make_agents(1);
	low = enqueue_of(2, queue);
	middle = enqueue_of(4, queue);
	cr_assert_eq(agent_id_of(middle), 0);
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(middle), agents[0].id);
	cr_assert_eq(agent_id_of(low), 0);
	agents[1] = ready_agent("late", NULL);
	cr_assert_eq(agent_id_of(low), 0);
	config.steps_count = 0;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(low), agents[1].id);
}

Test(reserve, fields_that_do_not_go_together_are_refused)
{
	struct stw_step_config step = {.reserve_agents = 1};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = {9};

	config.name = "sales";
	config.steps = &step;
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	step.reserve_value = STW_CLASS_COUNT;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	step.reserve_value = 15;
	step.reserve_agents = 0;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	cr_assert_eq(queue.id, 9);
	step.reserve_agents = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
}

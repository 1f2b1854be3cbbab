/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

TestSuite(select, .init = house_open, .fini = house_close);

static struct stw_queue
queue_selecting(enum stw_select select, const struct stw_skill_level *terms, uint32_t count)
{
	struct stw_step_config step = {.select = select, .terms = terms, .terms_count = count};
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
accepted(struct stw_queue queue)
{
	struct stw_contact contact = enqueue(queue);

	accept_next();
	return contact;
}

/* A contact from begin to end; returns the agent. */
static uint64_t
served(struct stw_queue queue, uint64_t talk_ns)
{
	struct stw_contact contact = accepted(queue);
	uint64_t agent = agent_id_of(contact);

	now += talk_ns;
	end(contact);
	return agent;
}

Test(select, top_down_takes_the_smallest_position_then_the_first_slot)
{
	struct stw_queue queue = queue_selecting(STW_SELECT_TOP_DOWN, NULL, 0);
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent third, first, second;

	config.position = 2;
	make_ready(third = agent_with(config, "third", NULL));
	now++;
	config.position = 1;
	make_ready(first = agent_with(config, "first", NULL));
	second = agent_with(config, "second", NULL);
	now--;
	make_ready(second);
	now++;
	cr_assert_eq(agent_id_of(accepted(queue)), first.id, "slots decide, not who waited longer");
	cr_assert_eq(agent_id_of(accepted(queue)), second.id);
	cr_assert_eq(agent_id_of(accepted(queue)), third.id);
}

Test(select, most_proficient_takes_the_highest_sum_of_the_levels_named)
{
	struct stw_skill_level terms[2] = {{skill_of("a"), 1}, {skill_of("b"), 1}};
	struct stw_skill_level levels[3] = {
		{terms[0].skill, 10}, {terms[1].skill, 10}, {skill_of("other"), 100}};
	struct stw_queue queue = queue_selecting(STW_SELECT_MOST_PROFICIENT, terms, 2);
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent low, high, equal;

	config.skills = levels;
	config.skills_count = 3;
	make_ready(low = agent_with(config, "low", NULL));
	now++;
	config.skills_count = 2;
	levels[0].level = 15;
	make_ready(high = agent_with(config, "high", NULL));
	now++;
	levels[0].level = 10;
	levels[1].level = 15;
	make_ready(equal = agent_with(config, "equal", NULL));
	cr_assert_eq(agent_id_of(accepted(queue)), high.id);
	cr_assert_eq(agent_id_of(accepted(queue)), equal.id);
	cr_assert_eq(agent_id_of(accepted(queue)), low.id);
}

Test(select, most_proficient_follows_an_agent_who_learns)
{
	struct stw_skill_level term = {skill_of("a"), 1}, level = {term.skill, 90};
	struct stw_term terms[3] = {stw_term_skill(term.skill, 2), stw_term_skill(term.skill, 3),
				    stw_term_and()};
	struct stw_step_config step = {
		.select = STW_SELECT_MOST_PROFICIENT, .requirement = terms, .requirement_count = 3};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config learnt = STW_AGENT_CONFIG_INIT;
	struct stw_agent first = ready_agent("first", "a"), second;
	struct stw_queue queue;

	now++;
	second = ready_agent("second", "a");
	config.name = "sales";
	config.steps = &step;
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	cr_assert_eq(served(queue, 0), first.id);
	learnt.skills = &level;
	learnt.skills_count = 1;
	cr_assert_eq(stw_agent_update(house, second, &learnt, now), 0);
	cr_assert_eq(served(queue, 0), second.id);
	level.level = 40;
	cr_assert_eq(stw_agent_update(house, second, &learnt, now), 0);
	cr_assert_eq(served(queue, 0), first.id);
}

Test(select, fewest_contacts_counts_accepted_ones_of_the_day)
{
	struct stw_queue queue = queue_selecting(STW_SELECT_FEWEST_CONTACTS, NULL, 0);
	struct stw_agent ann = ready_agent("ann", NULL), bob;

	now++;
	cr_assert_eq(served(queue, 1), ann.id);
	cr_assert_eq(served(queue, 1), ann.id);
	bob = ready_agent("bob", NULL);
	now++;
	cr_assert_eq(served(queue, 1), bob.id);
	cr_assert_eq(served(queue, 1), bob.id);
	cr_assert_eq(served(queue, 1), ann.id, "of equal ones, who is idle for longest");
	cr_assert_eq(served(queue, 1), bob.id);
	stw_agents_day_begin(house);
	cr_assert_eq(served(queue, 1), ann.id);
	cr_assert_eq(served(queue, 1), bob.id);
}

Test(select, least_occupied_compares_busy_time_since_the_login)
{
	struct stw_queue queue = queue_selecting(STW_SELECT_LEAST_OCCUPIED, NULL, 0);
	struct stw_agent ann = ready_agent("ann", NULL), bob;

	cr_assert_eq(served(queue, 10 * SECOND), ann.id);
	now += 30 * SECOND;
	/* ann: 10 of 40 seconds. bob will have 5 of 10. */
	bob = ready_agent("bob", NULL);
	cr_assert_eq(served(queue, 5 * SECOND), bob.id);
	now += 5 * SECOND;
	cr_assert_eq(served(queue, 0), ann.id, "a smaller part of a longer time");
	cr_assert_eq(stw_agent_logout(house, bob, now), 0);
	now += SECOND;
	make_ready(bob);
	now += 10 * SECOND;
	cr_assert_eq(served(queue, 0), bob.id, "the login begins a new time");
}

Test(select, round_robin_goes_on_after_whom_it_asked_last)
{
	struct stw_queue queue = queue_selecting(STW_SELECT_ROUND_ROBIN, NULL, 0);
	struct stw_agent agents[4];
	char name[8];

	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "a%d", i);
		agents[i] = ready_agent(name, NULL);
		now++;
	}
	for (int i = 0; i < 9; i++)
		cr_assert_eq(served(queue, 0), agents[i % 4].id);
	cr_assert_eq(stw_agent_not_ready(house, agents[1], 1, now), 0);
	cr_assert_eq(served(queue, 0), agents[2].id, "who is not ready is left out");
	cr_assert_eq(stw_agent_ready(house, agents[1], now), 0);
	cr_assert_eq(served(queue, 0), agents[3].id);
	cr_assert_eq(served(queue, 0), agents[0].id);
	cr_assert_eq(served(queue, 0), agents[1].id);
}

Test(select, weighted_random_follows_the_weights_and_the_seed)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_acd_config engine = STW_ACD_CONFIG_INIT;
	uint64_t first_draws[2] = {0, 0};

	house_close();
	/* A small house: every step is followed by a check of all of it. */
	engine.agents_max = 32;
	engine.contacts_max = 64;
	for (uint64_t run = 0; run < 3; run++) {
		uint64_t counts[3] = {0}, draws = 0;
		struct stw_agent agents[3];
		struct stw_queue queue;

		engine.seed = 7 + run / 2;
		house_open_with(&engine);
		queue = queue_selecting(STW_SELECT_WEIGHTED_RANDOM, NULL, 0);
		config.weight = 0;
		make_ready(agents[0] = agent_with(config, "one", NULL));
		config.weight = 3;
		make_ready(agents[1] = agent_with(config, "three", NULL));
		config.weight = 6;
		make_ready(agents[2] = agent_with(config, "six", NULL));
		for (int i = 0; i < 3000; i++) {
			uint64_t id = served(queue, 0);
			uint32_t at = id == agents[0].id ? 0 : id == agents[1].id ? 1 : 2;

			counts[at]++;
			draws = draws * 3 + at;
			while (next_event().type != STW_EVENT_NONE) {
			}
		}
		/* Four standard deviations of a tenth, three and six tenths of 3000. */
		cr_assert(counts[0] > 234 && counts[0] < 366, "%lu", (unsigned long)counts[0]);
		cr_assert(counts[1] > 800 && counts[1] < 1000, "%lu", (unsigned long)counts[1]);
		cr_assert(counts[2] > 1693 && counts[2] < 1907, "%lu", (unsigned long)counts[2]);
		if (run < 2)
			first_draws[run] = draws;
		if (run == 1)
			cr_assert_eq(draws, first_draws[0], "the same seed, the same draws");
		if (run == 2)
			cr_assert_neq(draws, first_draws[0]);
		house_close();
	}
	house_open();
}

Test(select, each_step_has_a_policy_of_its_own)
{
	struct stw_skill_level expert = {skill_of("expert"), 50};
	struct stw_step_config steps[2] = {
		{.select = STW_SELECT_TOP_DOWN, .terms = &expert, .terms_count = 1},
		{.select = STW_SELECT_LONGEST_IDLE}};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;
	struct stw_agent novice = ready_agent("novice", NULL), late, early;
	struct stw_queue queue;

	config.name = "sales";
	config.steps = steps;
	config.steps_count = 2;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	agent.position = 5;
	make_ready(late = agent_with(agent, "late", "expert"));
	now++;
	agent.position = 4;
	make_ready(early = agent_with(agent, "early", "expert"));
	cr_assert_eq(agent_id_of(accepted(queue)), early.id);
	cr_assert_eq(agent_id_of(accepted(queue)), late.id);
	cr_assert_eq(agent_id_of(accepted(queue)), novice.id);
}

Test(select, weight_above_its_range_is_refused)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent agent = {9};

	config.name = "ann";
	config.weight = 1001;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	config.weight = 1000;
	cr_assert_eq(stw_agent_define(house, &config, &agent), 0);
}

Test(select, of_equally_long_idle_agents_the_first_slot_is_taken_whatever_words_they_are_in)
{
	struct stw_skill_level term = {skill_of("a"), 1};
	struct stw_queue queue = queue_selecting(STW_SELECT_LONGEST_IDLE, &term, 1);
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent agents[40];
	char name[16];

	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "agent %u", i);
		config.skills = &term;
		/* The last one cannot serve the queue, but makes the second word look the better one. */
		config.skills_count = i < 39;
		agents[i] = agent_with(config, name, NULL);
	}
	make_ready(agents[39]);
	now += 1000000;
	make_ready(agents[38]);
	make_ready(agents[3]);
	cr_assert_eq(agent_id_of(accepted(queue)), agents[3].id);
	cr_assert_eq(agent_id_of(accepted(queue)), agents[38].id);
}
